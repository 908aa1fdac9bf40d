//! Schedule-Free SGD (Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, 2024).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::average::{AverageNumbers, averaged, moved};
use super::method::Method;
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, inside, not_negative};

/// Schedule-Free SGD (Defazio et al., "The Road Less Scheduled", NeurIPS 2024), with the defaults of the authors'
/// `schedulefree`.
///
/// y = (1 - beta) z + beta x; g the gradient at y, w y added; z <- z - rate g; x <- (1 - c) x + c z, where c is the step's
/// share of all weights, k^step_power (largest rate so far)^rate_power for step k.
///
/// The network's parameters are y; z is remembered. [`evaluation`](crate::optimizers::Optimizer::evaluation) is at x. The
/// authors' own warm-up is a schedule's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScheduleFreeSgdSpec {
    /// Default 1.
    pub learning_rate: f64,
    /// beta, above 0. Default 0.9.
    pub momentum: f64,
    /// w. Default 0.
    pub weight_decay: f64,
    /// r. Default 0.
    pub step_power: f64,
    /// The authors' weight_lr_power. Default 2.
    pub rate_power: f64,
}

impl Default for ScheduleFreeSgdSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            momentum: 0.9,
            weight_decay: 0.0,
            step_power: 0.0,
            rate_power: 2.0,
        }
    }
}

impl ScheduleFreeSgdSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| inside("momentum", self.momentum))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| not_negative("step-power", self.step_power))
            .or_else(|| not_negative("rate-power", self.rate_power))
    }
}

impl Method for ScheduleFreeSgdSpec {
    type Numbers = AverageNumbers;

    const NAME: &'static str = "schedule-free-sgd";

    const AVERAGES: bool = true;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["z"]
    }

    fn start(&self) -> AverageNumbers {
        AverageNumbers::default()
    }

    fn damage(numbers: &AverageNumbers) -> Option<String> {
        numbers.damage()
    }

    fn step(
        &self,
        numbers: &mut AverageNumbers,
        rows: &mut [Row],
        _loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let c = numbers.share(rate, self.step_power, self.rate_power);
        let mut sums = Sums::new();
        for row in rows.iter_mut() {
            let y = row.x.clone();
            let z = row.memory.pop().unwrap_or_else(|| y.clone());
            let g = row.gradient.clone();
            let [y, z] = moved(y, z, g, [self.weight_decay, rate, self.momentum, c]);
            // Nothing bounds its steps: one after which y, z or x, which is (y - (1 - beta) z) / beta, might be none is not taken.
            sums.add([(y.clone().abs() + z.clone().abs()).div_scalar(self.momentum)]);
            row.x = y;
            row.memory = vec![z];
        }
        let finite = sums.read()?.is_some() && numbers.is_finite();
        Ok(finite.then_some(rate))
    }

    fn evaluated(&self, _: &AverageNumbers, y: Tensor<1>, memory: &[Tensor<1>]) -> Tensor<1> {
        averaged(y, memory.first(), self.momentum)
    }
}
