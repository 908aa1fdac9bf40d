//! Options of Burn's own optimizers, with the defaults of their papers and of PyTorch.

use serde::{Deserialize, Serialize};

/// Stochastic gradient descent with momentum.
///
/// v <- momentum v + g + weight_decay x; x <- x - learning_rate v (v + momentum g if Nesterov's), as PyTorch: no
/// dampening, which Burn's own default of 0.1 would add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SgdSpec {
    /// Default 0.1, of the KOALA paper and of most image recipes.
    pub learning_rate: f64,
    /// Default 0.9.
    pub momentum: f64,
    /// Default false.
    pub nesterov: bool,
    /// L2 penalty, added to the gradient. Default 0.
    pub weight_decay: f64,
    /// Bound on the norm of all gradients together, which are scaled down to it. Default inf, none.
    pub clip_norm: f64,
}

impl Default for SgdSpec {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
            clip_norm: f64::INFINITY,
        }
    }
}

/// Adam (Kingma and Ba, 2015), with their defaults. The KOALA paper trains its image networks with a learning rate of
/// 3e-4 instead of 1e-3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdamSpec {
    /// Default 1e-3.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// L2 penalty, added to the gradient. Default 0.
    pub weight_decay: f64,
    /// Bound on the norm of all gradients together, which are scaled down to it. Default inf, none.
    pub clip_norm: f64,
}

impl Default for AdamSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip_norm: f64::INFINITY,
        }
    }
}

/// AdamW (Loshchilov and Hutter, 2019): Adam with decoupled weight decay, with PyTorch's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdamWSpec {
    /// Default 1e-3.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// x <- x (1 - learning_rate weight_decay). Default 0.01.
    pub weight_decay: f64,
    /// Bound on the norm of all gradients together, which are scaled down to it. Default inf, none.
    pub clip_norm: f64,
}

impl Default for AdamWSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip_norm: f64::INFINITY,
        }
    }
}
