//! Schedule-Free AdamW (Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, 2024).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::average::{AverageNumbers, averaged, moved};
use super::method::Method;
use super::rows::Row;
use super::sums::Sums;
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, inside, not_negative, positive, share};

/// Schedule-Free AdamW (Defazio et al., "The Road Less Scheduled", NeurIPS 2024), with the defaults of the authors'
/// `schedulefree`, whose `AdamWScheduleFree` it is, not `AdamWScheduleFreePaper`.
///
/// y = (1 - beta_1) z + beta_1 x; g the gradient at y; v <- beta_2 v + (1 - beta_2) g^2;
/// h = g / (sqrt(v / (1 - beta_2^k)) + epsilon) + w y; z <- z - rate h; x <- (1 - c) x + c z, where c is the step's share
/// of all weights, k^step_power (largest rate so far)^rate_power for step k.
///
/// The network's parameters are y; z and v are remembered. [`evaluation`](crate::optimizers::Optimizer::evaluation) is at
/// x. The authors' own warm-up is a schedule's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScheduleFreeAdamWSpec {
    /// Default 0.0025.
    pub learning_rate: f64,
    /// Above 0. Default 0.9.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// w. Default 0.
    pub weight_decay: f64,
    /// r. Default 0.
    pub step_power: f64,
    /// The authors' weight_lr_power. Default 2.
    pub rate_power: f64,
}

impl Default for ScheduleFreeAdamWSpec {
    fn default() -> Self {
        Self {
            learning_rate: 2.5e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            step_power: 0.0,
            rate_power: 2.0,
        }
    }
}

impl ScheduleFreeAdamWSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| inside("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| not_negative("step-power", self.step_power))
            .or_else(|| not_negative("rate-power", self.rate_power))
    }
}

impl Method for ScheduleFreeAdamWSpec {
    type Numbers = AverageNumbers;

    const NAME: &'static str = "schedule-free-adamw";

    const AVERAGES: bool = true;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["z", "moment_2"]
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
        let beta_2 = self.beta_2;
        let c = numbers.share(rate, self.step_power, self.rate_power);
        let correction = 1.0 - beta_2.powf(numbers.steps as f64);
        let mut sums = Sums::new();
        for row in rows.iter_mut() {
            let y = row.x.clone();
            let (v, z) = (row.memory.pop(), row.memory.pop());
            let z = z.unwrap_or_else(|| y.clone());
            let v = v.unwrap_or_else(|| y.zeros_like());
            let g = row.gradient.clone();
            let square = g.clone().square();
            sums.add([square.clone()]);
            let v = v.mul_scalar(beta_2) + square.mul_scalar(1.0 - beta_2);
            let scale = v.clone().div_scalar(correction).sqrt();
            let h = g / scale.add_scalar(self.epsilon);
            let [y, z] = moved(y, z, h, [self.weight_decay, rate, self.beta_1, c]);
            row.x = y;
            row.memory = vec![z, v];
        }
        let finite = sums.read()?.is_some() && numbers.is_finite();
        Ok(finite.then_some(rate))
    }

    fn evaluated(&self, _: &AverageNumbers, y: Tensor<1>, memory: &[Tensor<1>]) -> Tensor<1> {
        averaged(y, memory.first(), self.beta_1)
    }
}
