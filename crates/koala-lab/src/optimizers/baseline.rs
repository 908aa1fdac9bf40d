//! Burn's own optimizers, with the defaults of their papers and of PyTorch.

use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

use super::{Optimizer, OptimizerError, StepSummary};

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
}

impl Default for SgdSpec {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
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
}

impl Default for AdamSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
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
}

impl Default for AdamWSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

/// One of Burn's optimizers in the training loop.
pub struct Baseline {
    optimizer: ModuleOptimizer,
    learning_rate: f64,
}

impl From<&SgdSpec> for Baseline {
    fn from(spec: &SgdSpec) -> Self {
        let config = SgdConfig::new()
            .with_momentum((spec.momentum > 0.0).then_some(MomentumConfig {
                momentum: spec.momentum,
                dampening: 0.0,
                nesterov: spec.nesterov,
            }))
            .with_weight_decay(penalty(spec.weight_decay));
        Self {
            optimizer: config.init(),
            learning_rate: spec.learning_rate,
        }
    }
}

impl From<&AdamSpec> for Baseline {
    fn from(spec: &AdamSpec) -> Self {
        let config = AdamConfig::new()
            .with_beta_1(spec.beta_1 as f32)
            .with_beta_2(spec.beta_2 as f32)
            .with_epsilon(spec.epsilon as f32)
            .with_weight_decay(penalty(spec.weight_decay));
        Self {
            optimizer: config.init(),
            learning_rate: spec.learning_rate,
        }
    }
}

impl From<&AdamWSpec> for Baseline {
    fn from(spec: &AdamWSpec) -> Self {
        let config = AdamWConfig::new()
            .with_beta_1(spec.beta_1 as f32)
            .with_beta_2(spec.beta_2 as f32)
            .with_epsilon(spec.epsilon as f32)
            .with_weight_decay(spec.weight_decay as f32);
        Self {
            optimizer: config.init(),
            learning_rate: spec.learning_rate,
        }
    }
}

fn penalty(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32))
}

impl<M: Module> Optimizer<M> for Baseline {
    fn prepare(&mut self, _model: &mut M) -> Result<(), OptimizerError> {
        Ok(())
    }

    fn step(
        &mut self,
        model: M,
        gradients: GradientsParams,
        _losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        let learning_rate = self.learning_rate * factor;
        let model = self.optimizer.step(learning_rate, model, gradients);
        let summary = StepSummary {
            gain: learning_rate,
            effective_learning_rate: learning_rate,
            report: None,
        };
        Ok((model, summary))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        Ok(model.valid())
    }
}
