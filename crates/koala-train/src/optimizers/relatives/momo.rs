//! MoMo (Schaipp, Ohana, Eickenberg, Defazio and Gower, 2024): SGD with momentum and an adaptive step length.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::polyak::{Bound, LossModel};
use super::rows::Row;
use super::sums::{Sums, total};
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

/// The scalars that it remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct MomoNumbers {
    steps: u64,
    /// f_bar, after the first step.
    loss: Option<f64>,
    /// gamma, by parameter.
    gamma: BTreeMap<String, f64>,
    bound: f64,
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
    type Numbers = MomoNumbers;

    const NAME: &'static str = "momo";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self) -> &'static [&'static str] {
        &["average"]
    }

    fn start(&self) -> MomoNumbers {
        MomoNumbers {
            steps: 0,
            loss: None,
            gamma: BTreeMap::new(),
            bound: self.lower_bound,
        }
    }

    fn damage(numbers: &MomoNumbers) -> Option<String> {
        let all = numbers.gamma.values().chain(&numbers.loss);
        let finite = all.chain([&numbers.bound]).all(|v| v.is_finite());
        (!finite).then(|| "it holds a number that is not finite".to_owned())
    }

    fn step(
        &self,
        numbers: &mut MomoNumbers,
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let beta = self.momentum;
        let averaged = |old: f64, new: f64| beta * old + (1.0 - beta) * new;
        let first = |value: f64| if self.bias_correction { 0.0 } else { value };

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
        let mut gamma = 0.0;
        for (row, [product, ..]) in rows.iter().zip(&sums) {
            let of_row = numbers.gamma.entry(row.path.clone());
            let of_row = of_row.or_insert(first(*product));
            *of_row = averaged(*of_row, *product);
            gamma += *of_row;
        }
        numbers.steps += 1;
        let mean = averaged(numbers.loss.unwrap_or(first(loss)), loss);
        numbers.loss = Some(mean);

        let [_, product, square] = total(&sums);
        let model = LossModel {
            loss: mean,
            product,
            gamma,
            square,
            weight: if self.bias_correction {
                1.0 - beta.powf(numbers.steps as f64)
            } else {
                1.0
            },
        };
        let w = self.weight_decay;
        let f = Bound {
            lowest: self.lower_bound,
            estimated: self.estimate_bound,
        };
        let (length, bound) = model.step(rate, w, numbers.bound, f);
        numbers.bound = bound;
        let decay = 1.0 + rate * w;
        for row in rows {
            let d = row.memory[0].clone();
            let x = row.x.clone() - d.mul_scalar(length);
            row.x = if decay > 1.0 { x.div_scalar(decay) } else { x };
        }
        Ok(Some(length))
    }
}
