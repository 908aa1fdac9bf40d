//! MoMo (Schaipp, Ohana, Eickenberg, Defazio and Gower, 2024): SGD with momentum and an adaptive step length.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::momo_numbers::{MomoNumbers, Rule};
use super::polyak::Bound;
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, finite, not_negative, share};

/// MoMo (Schaipp et al., "MoMo: Momentum Models for Adaptive Learning Rates", ICML 2024), with the defaults of the authors'
/// `momo-opt`.
///
/// With f the mean loss of the batch and beta the momentum:
///
/// d <- beta d + (1 - beta) g; f_bar <- beta f_bar + (1 - beta) f; gamma <- beta gamma + (1 - beta) g.x;
/// tau = min(rate / rho, ((1 + rate w) (f_bar - rho f* - gamma) + d.x)_+ / d.d); x <- (x - tau d) / (1 + rate w).
///
/// The averages start at the first batch's values and rho is 1; with bias correction they start at 0 and
/// rho = 1 - beta^k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MomoSpec {
    /// The bound on the step length. Default 1.
    pub learning_rate: f64,
    /// beta. Default 0.9.
    pub momentum: f64,
    /// w, proximal. Default 0.
    pub weight_decay: f64,
    /// f*, a bound below the loss; where the estimate starts and does not go below if it is estimated. Default 0.
    pub lower_bound: f64,
    /// Whether f* is estimated on the way (the paper's section on unknown bounds). Default false.
    pub estimate_bound: bool,
    /// Whether the averages start at 0 and are corrected for it. Default false.
    pub bias_correction: bool,
}

impl Default for MomoSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            momentum: 0.9,
            weight_decay: 0.0,
            lower_bound: 0.0,
            estimate_bound: false,
            bias_correction: false,
        }
    }
}

impl MomoSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("momentum", self.momentum))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| finite("lower-bound", self.lower_bound))
    }
}

impl Method for MomoSpec {
    type Numbers = MomoNumbers<Option<f64>>;

    const NAME: &'static str = "momo";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["average"]
    }

    fn start(&self) -> Self::Numbers {
        MomoNumbers::new(None, self.lower_bound)
    }

    fn damage(numbers: &Self::Numbers) -> Option<String> {
        numbers.damage()
    }

    fn step(
        &self,
        numbers: &mut Self::Numbers,
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let beta = self.momentum;
        let mut sums = Sums::new();
        for row in rows.iter_mut() {
            let (x, g) = (row.x.clone(), row.gradient.clone());
            let new = g.clone().mul_scalar(1.0 - beta);
            let d = match row.memory.pop() {
                Some(d) => d.mul_scalar(beta) + new,
                None if self.bias_correction => new,
                None => g.clone(),
            };
            sums.add([g * x.clone(), d.clone() * x, d.clone().square()]);
            row.memory = vec![d];
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let rule = Rule {
            beta,
            corrected: self.bias_correction,
            weight_decay: self.weight_decay,
            bound: Bound {
                lowest: self.lower_bound,
                estimated: self.estimate_bound,
            },
        };
        let length = numbers.step(rows, &sums, loss, rate, &rule);
        for row in rows {
            row.descend(row.memory[0].clone(), length, rate * self.weight_decay);
        }
        Ok(Some(length))
    }
}
