//! MoMo-Adam (Schaipp, Ohana, Eickenberg, Defazio and Gower, 2024): Adam with MoMo's adaptive step length.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::momo_numbers::{MomoNumbers, Rule};
use super::polyak::Bound;
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, finite, not_negative, positive, share};

/// MoMo-Adam (Schaipp et al., "MoMo: Momentum Models for Adaptive Learning Rates", ICML 2024), with the defaults of the
/// authors' `momo-opt`.
///
/// With f the mean loss of the batch, at step k:
///
/// d <- beta_1 d + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; D = sqrt(v / (1 - beta_2^k)) + epsilon;
/// f_bar <- beta_1 f_bar + (1 - beta_1) f; gamma <- beta_1 gamma + (1 - beta_1) g.x; rho = 1 - beta_1^k;
/// tau = min(rate / rho, ((1 + rate w) (f_bar - rho f* - gamma) + d.x)_+ / d.(d / D));
/// x <- (x - tau d / D) / (1 + rate w).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MomoAdamSpec {
    /// The bound on the step length. Default 0.01.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// w, proximal. Default 0.
    pub weight_decay: f64,
    /// f*, a bound below the loss; where the estimate starts and does not go below if it is estimated. Default 0.
    pub lower_bound: f64,
    /// Whether f* is estimated on the way. Default false.
    pub estimate_bound: bool,
}

impl Default for MomoAdamSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1e-2,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            lower_bound: 0.0,
            estimate_bound: false,
        }
    }
}

impl MomoAdamSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| finite("lower-bound", self.lower_bound))
    }
}

impl Method for MomoAdamSpec {
    type Numbers = MomoNumbers<f64>;

    const NAME: &'static str = "momo-adam";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["moment_1", "moment_2"]
    }

    fn start(&self) -> Self::Numbers {
        MomoNumbers::new(0.0, self.lower_bound)
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
        let (beta_1, beta_2) = (self.beta_1, self.beta_2);
        let k = (numbers.steps + 1) as f64;

        let mut sums = Sums::new();
        let mut directions = Vec::with_capacity(rows.len());
        for row in rows.iter_mut() {
            let (x, g) = (row.x.clone(), row.gradient.clone());
            let (v, d) = (row.memory.pop(), row.memory.pop());
            let (d, v) = (d.unwrap_or(g.zeros_like()), v.unwrap_or(g.zeros_like()));
            let d = d.mul_scalar(beta_1) + g.clone().mul_scalar(1.0 - beta_1);
            let v = v.mul_scalar(beta_2) + g.clone().square().mul_scalar(1.0 - beta_2);
            let metric = v.clone().div_scalar(1.0 - beta_2.powf(k)).sqrt();
            let direction = d.clone() / metric.add_scalar(self.epsilon);
            // A moment that has overflowed would hold its weight still for ever: its step is left out.
            sums.add([
                g * x.clone(),
                d.clone() * x,
                d.clone() * direction.clone(),
                v.clone(),
            ]);
            directions.push(direction);
            row.memory = vec![d, v];
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let sums: Vec<_> = sums
            .into_iter()
            .map(|[gx, dx, dd, _]| [gx, dx, dd])
            .collect();
        let rule = Rule {
            beta: beta_1,
            corrected: true,
            weight_decay: self.weight_decay,
            bound: Bound {
                lowest: self.lower_bound,
                estimated: self.estimate_bound,
            },
        };
        let length = numbers.step(rows, &sums, loss, rate, &rule);
        for (row, direction) in rows.iter_mut().zip(directions) {
            row.descend(direction, length, rate * self.weight_decay);
        }
        Ok(Some(length))
    }
}
