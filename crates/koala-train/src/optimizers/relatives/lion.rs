//! Lion (Chen et al., 2023): the sign of a momentum.

use burn::optim::{Lion, LionConfig, LionState, Optimizer as _};
use serde::{Deserialize, Serialize};

use super::method::Method;
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, not_negative, share};

/// Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023), with the defaults of `lion-pytorch`.
/// The step is Burn's.
///
/// x <- x (1 - rate w) - rate sign(beta_1 m + (1 - beta_1) g); m <- beta_2 m + (1 - beta_2) g.
///
/// Its authors advise a learning rate 3 to 10 times smaller than AdamW's, and a weight decay as many times larger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LionSpec {
    /// Default 1e-4.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.99.
    pub beta_2: f64,
    /// w, decoupled. Default 0.
    pub weight_decay: f64,
}

impl Default for LionSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-4,
            beta_1: 0.9,
            beta_2: 0.99,
            weight_decay: 0.0,
        }
    }
}

impl LionSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
    }

    /// Burn's, which has its options in single precision.
    fn of_burn(&self) -> Lion {
        LionConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_weight_decay(self.weight_decay as f32)
            .build()
    }
}

impl Method for LionSpec {
    type Numbers = ();

    const NAME: &'static str = "lion";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["momentum"]
    }

    fn start(&self) {}

    fn step(
        &self,
        (): &mut (),
        rows: &mut [Row],
        _loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let lion = self.of_burn();
        let mut sums = Sums::new();
        for row in rows {
            let g = row.gradient.clone();
            sums.add([g.clone().abs()]);
            let state = row.memory.pop().map(LionState::new);
            let (x, state) = lion.step(rate, row.x.clone(), g, state);
            row.x = x;
            row.memory = state.into_iter().map(|state| state.momentum).collect();
        }
        Ok(sums.read()?.map(|_| rate))
    }
}
