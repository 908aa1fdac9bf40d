//! Muon (Jordan et al., 2024): a momentum made orthogonal, for hidden matrices, and AdamW beside it for all else.

use std::collections::HashSet;

use burn::module::Module;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{MuonConfig, Optimizer as _};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::hidden::hidden_matrices;
use super::method::{Method, Steps};
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, not_negative, positive, share};

/// Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
/// <https://kellerjordan.github.io/posts/muon/>), with the defaults of `MuonWithAuxAdam` of the author's
/// [program](https://github.com/KellerJordan/Muon).
///
/// Of a hidden matrix of A outputs and B inputs: m <- mu m + (1 - mu) g; d = mu m + (1 - mu) g (m without Nesterov);
/// x <- x (1 - rate w) - rate sqrt(max(1, A / B)) NS(d), where NS takes five steps of Newton and Schulz's iteration towards
/// the orthogonal matrix that is nearest to d, X <- a X + (b X X' + c (X X')^2) X from X = d / |d|, with (a, b, c) =
/// (3.4445, -4.775, 2.0315).
///
/// Of all else, with q = `adamw_share`: m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2;
/// x <- x (1 - q rate w) - q rate m / (1 - beta_1^k) / (sqrt(v / (1 - beta_2^k)) + epsilon) at step k.
///
/// Which is which, the author says: "Muon should only be used for hidden weight layers. The input embedding, final output
/// layer, and any internal gains or biases should be optimized using a standard method such as AdamW. Hidden convolutional
/// weights can be trained using Muon by viewing them as 2D and then collapsing their last 3 dimensions", all but the first
/// one of a convolutional network. How that is told of a module stands in `hidden.rs`. A network of one hidden layer has no
/// hidden matrix, and is AdamW's altogether.
///
/// The iteration is Burn's, in the precision of the parameters, where the author's is in bfloat16. A matrix of Burn's is
/// [inputs, outputs], and Burn's rate is by the author's [outputs, inputs]: it is handed over transposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MuonSpec {
    /// Of the hidden matrices. Default 0.02.
    pub learning_rate: f64,
    /// mu. Default 0.95.
    pub momentum: f64,
    /// Default true.
    pub nesterov: bool,
    /// w, decoupled, of all parameters. Default 0.
    pub weight_decay: f64,
    /// q, the learning rate of AdamW as a share of Muon's, so that one number scales all steps. Default 0.015: the author's
    /// 3e-4 beside 0.02.
    pub adamw_share: f64,
    /// AdamW's. Default 0.9.
    pub beta_1: f64,
    /// AdamW's. Default 0.95.
    pub beta_2: f64,
    /// AdamW's. Default 1e-10.
    pub epsilon: f64,
}

impl Default for MuonSpec {
    fn default() -> Self {
        Self {
            learning_rate: 0.02,
            momentum: 0.95,
            nesterov: true,
            weight_decay: 0.0,
            adamw_share: 0.015,
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-10,
        }
    }
}

impl MuonSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("momentum", self.momentum))
            .or_else(|| {
                (self.nesterov && self.momentum == 0.0)
                    .then(|| ("nesterov", "needs a momentum above 0".to_owned()))
            })
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| not_negative("adamw-share", self.adamw_share))
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
    }
}

/// Muon for one network.
pub(in crate::optimizers) struct Muon {
    spec: MuonSpec,
    /// Paths of the parameters that it takes itself.
    hidden: HashSet<String>,
}

impl Muon {
    pub fn new<M: Module>(spec: MuonSpec, model: &M) -> Self {
        Self {
            spec,
            hidden: hidden_matrices(model),
        }
    }
}

/// x after a step of `rate` along the orthogonal matrix that is nearest to `direction`.
fn descended(x: Tensor<1>, direction: Tensor<1>, shape: &[usize], rate: f64) -> Tensor<1> {
    // Momentum and decay are ours: Burn's momentum cannot be stored by path.
    let muon = MuonConfig::new()
        .with_momentum(MomentumConfig {
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
        })
        .build();
    let rows = shape.first().copied().unwrap_or(1);
    let columns = shape.iter().skip(1).product();
    let matrix = |flat: Tensor<1>| flat.reshape([rows, columns]);
    let flat = |matrix: Tensor<2>| matrix.reshape([rows * columns]);
    // A convolution has its outputs first, a matrix has them last.
    if shape.len() == 2 {
        let (x, direction) = (matrix(x).transpose(), matrix(direction).transpose());
        flat(muon.step(rate, x, direction, None).0.transpose())
    } else {
        flat(muon.step(rate, matrix(x), matrix(direction), None).0)
    }
}

impl Method for Muon {
    type Numbers = Steps;

    const NAME: &'static str = "muon";

    fn learning_rate(&self) -> f64 {
        self.spec.learning_rate
    }

    fn vectors(&self, path: &str) -> &'static [&'static str] {
        if self.hidden.contains(path) {
            &["momentum"]
        } else {
            &["moment_1", "moment_2"]
        }
    }

    fn start(&self) -> Steps {
        Steps::default()
    }

    fn step(
        &self,
        numbers: &mut Steps,
        rows: &mut [Row],
        _loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let spec = &self.spec;
        let adam = Adam {
            beta_1: spec.beta_1,
            beta_2: spec.beta_2,
            epsilon: spec.epsilon,
        };
        let (mu, k) = (spec.momentum, numbers.next());
        let decayed = |x: Tensor<1>, rate: f64| match rate * spec.weight_decay {
            0.0 => x,
            decay => x.mul_scalar(1.0 - decay),
        };
        let mut sums = Sums::new();
        for row in rows {
            let (x, g) = (row.x.clone(), row.gradient.clone());
            // Finite squares keep every moment and norm finite: averages are no larger than what they are of.
            sums.add([g.clone().square()]);
            if self.hidden.contains(&row.path) {
                let new = g.clone().mul_scalar(1.0 - mu);
                let m = match row.memory.pop() {
                    Some(m) => m.mul_scalar(mu) + new.clone(),
                    None => new.clone(),
                };
                let direction = if spec.nesterov {
                    m.clone().mul_scalar(mu) + new
                } else {
                    m.clone()
                };
                row.x = descended(decayed(x, rate), direction, &row.shape, rate);
                row.memory = vec![m];
            } else {
                let rate = rate * spec.adamw_share;
                let (moments, direction) = adam.direction(g, &mut row.memory, k);
                row.x = decayed(x, rate) - direction.mul_scalar(rate);
                row.memory = moments.into();
            }
        }
        Ok(sums.read()?.map(|_| rate))
    }
}
