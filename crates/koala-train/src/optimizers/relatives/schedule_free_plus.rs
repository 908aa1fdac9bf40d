//! ScheduleFree+ (Defazio, 2026): Schedule-Free Adam whose learning rate is Polyak's.

use std::f64::consts::FRAC_PI_2;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::average::{AverageNumbers, averaged, between};
use super::method::{Method, negative};
use super::rows::Row;
use super::sums::{Sums, total};
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, inside, not_negative, positive, share};

/// ScheduleFree+ (Defazio, "ScheduleFree+: Scaling Learning-Rate-Free & Schedule-Free Learning to Large Language Models",
/// 2026, arXiv 2605.19095, algorithm 1), with the defaults of the author's
/// [`AdamCScheduleFreePlusPaper`](https://github.com/facebookresearch/schedule_free).
///
/// With F the mean loss of the batch and g its gradient at y = beta x + (1 - beta) z, at step k from 1:
///
/// e <- p e + (1 - p) sqrt(pi / 2) |g|_1; alpha = rate (F + beta g.(z - x))_+ / (e / (1 - p^k));
/// m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2;
/// z <- z - alpha^2 w y - alpha m / (1 - beta_1^k) / (sqrt(v / (1 - beta_2^k)) + epsilon);
/// x <- (1 - c) x + c z, where c is 1 in the first `average_after` steps and then the step's share of all weights,
/// k^step_power (largest alpha so far)^rate_power; y <- beta x + (1 - beta) z.
///
/// beta goes from `interpolation` to `final_interpolation` in `interpolation_steps` steps, 1 - beta geometrically. The
/// network's parameters are y; z, m and v are remembered. [`evaluation`](crate::optimizers::Optimizer::evaluation) is at
/// x. The warm-up that the paper has in the rate is a schedule's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScheduleFreePlusSpec {
    /// Multiplies Polyak's. Default 1, to be left there.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.95.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// w, which is multiplied by the square of the learning rate: 20 or 50 rather than 0.1. Default 0.
    pub weight_decay: f64,
    /// beta at the first step, above 0. Default 0.9.
    pub interpolation: f64,
    /// beta after `interpolation_steps`, above 0. Default 0.965.
    pub final_interpolation: f64,
    /// Steps on the way from one to the other. Default 0: there is no way, and beta stays where it starts.
    pub interpolation_steps: u64,
    /// Steps before the average begins. Default 0; the author advises one or two times the warm-up.
    pub average_after: u64,
    /// p, the decay of the gradients' mean length. Default 0.
    pub norm_smoothing: f64,
    /// r. Default 0; the author's other advice is 2, for long runs.
    pub step_power: f64,
    /// The author's weight_lr_power. Default 2.
    pub rate_power: f64,
}

impl Default for ScheduleFreePlusSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-8,
            weight_decay: 0.0,
            interpolation: 0.9,
            final_interpolation: 0.965,
            interpolation_steps: 0,
            average_after: 0,
            norm_smoothing: 0.0,
            step_power: 0.0,
            rate_power: 2.0,
        }
    }
}

/// The scalars that it remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct PlusNumbers {
    average: AverageNumbers,
    /// e.
    norm: f64,
    /// The beta that y was last made with; 0 before the first step, where x, y and z are one.
    beta: f64,
}

impl ScheduleFreePlusSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| inside("interpolation", self.interpolation))
            .or_else(|| inside("final-interpolation", self.final_interpolation))
            .or_else(|| share("norm-smoothing", self.norm_smoothing))
            .or_else(|| not_negative("step-power", self.step_power))
            .or_else(|| not_negative("rate-power", self.rate_power))
    }

    /// beta of the step after so many.
    fn beta(&self, steps: u64) -> f64 {
        if self.interpolation_steps == 0 {
            return self.interpolation;
        }
        let way = (steps as f64 / self.interpolation_steps as f64).min(1.0);
        let [first, last] = [self.interpolation, self.final_interpolation].map(|b| (1.0 - b).ln());
        1.0 - (first * (1.0 - way) + last * way).exp()
    }
}

impl Method for ScheduleFreePlusSpec {
    type Numbers = PlusNumbers;

    const NAME: &'static str = "schedule-free-plus";

    const AVERAGES: bool = true;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["z", "moment_1", "moment_2"]
    }

    fn start(&self) -> PlusNumbers {
        PlusNumbers::default()
    }

    fn damage(numbers: &PlusNumbers) -> Option<String> {
        let own = [("norm", numbers.norm), ("beta", numbers.beta)];
        let beta = (numbers.beta >= 1.0).then(|| format!("its beta is {:?}", numbers.beta));
        negative(&own).or(beta).or_else(|| numbers.average.damage())
    }

    fn step(
        &self,
        numbers: &mut PlusNumbers,
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let (beta, before) = (self.beta(numbers.average.steps), numbers.beta);
        let k = numbers.average.steps as f64 + 1.0;
        let mut sums = Sums::new();
        for row in rows.iter() {
            let (y, g) = (row.x.clone(), row.gradient.clone());
            let apart = match row.memory.first() {
                Some(z) => z.clone() - y,
                None => y.zeros_like(),
            };
            sums.add([g.clone().abs(), g * apart]);
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let [norm, product] = total(&sums);
        // z - x is (z - y) / beta, with the beta that y was made with.
        let product = if before > 0.0 { product / before } else { 0.0 };
        let p = self.norm_smoothing;
        numbers.norm = p * numbers.norm + (1.0 - p) * FRAC_PI_2.sqrt() * norm;
        let length = numbers.norm / (1.0 - p.powf(k));
        if length == 0.0 {
            // No gradient yet.
            return Ok(Some(0.0));
        }
        let alpha = rate * (loss + beta * product).max(0.0) / length;
        let c = if numbers.average.steps < self.average_after {
            numbers.average.wait(alpha);
            1.0
        } else {
            let (step_power, rate_power) = (self.step_power, self.rate_power);
            numbers.average.share(alpha, step_power, rate_power)
        };
        numbers.beta = beta;

        let adam = Adam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
        };
        let mut sums = Sums::new();
        for row in rows.iter_mut() {
            let y = row.x.clone();
            let mut moments = row.memory.split_off(row.memory.len().min(1));
            let z = row.memory.pop();
            let x = match &z {
                Some(z) => averaged(y.clone(), Some(z), before),
                None => y.clone(),
            };
            let (moments, direction) = adam.direction(row.gradient.clone(), &mut moments, k);
            let z = z.unwrap_or_else(|| y.clone());
            let decay = alpha * alpha * self.weight_decay;
            let z = if decay > 0.0 {
                z - y.mul_scalar(decay)
            } else {
                z
            };
            let z = z - direction.mul_scalar(alpha);
            let x = between(x, z.clone(), c);
            row.x = between(x.clone(), z.clone(), 1.0 - beta);
            let [m, v] = moments;
            // A gradient that is next to nothing makes the learning rate, and with it the weights, as large as one likes; one
            // that is large makes v so.
            sums.add([x.abs(), row.x.clone().abs(), z.clone().abs(), v.clone()]);
            row.memory = vec![z, m, v];
        }
        let finite = sums.read()?.is_some() && alpha.is_finite() && numbers.average.is_finite();
        Ok(finite.then_some(alpha))
    }

    fn evaluated(&self, numbers: &PlusNumbers, y: Tensor<1>, memory: &[Tensor<1>]) -> Tensor<1> {
        averaged(y, memory.first(), numbers.beta)
    }
}
