//! The average that Schedule-Free methods evaluate at.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::method::negative;

/// The scalars that Schedule-Free methods remember.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct AverageNumbers {
    pub steps: u64,
    /// The largest learning rate so far.
    largest_rate: f64,
    /// Sum of the weights of all steps.
    weight: f64,
}

impl AverageNumbers {
    /// Counts a step and gives c, its share of the average: its weight over that of all, where the weight of step k is
    /// k^step_power (largest rate so far)^rate_power.
    pub fn share(&mut self, rate: f64, step_power: f64, rate_power: f64) -> f64 {
        self.wait(rate);
        let weight = (self.steps as f64).powf(step_power) * self.largest_rate.powf(rate_power);
        self.weight += weight;
        if self.weight > 0.0 {
            weight / self.weight
        } else {
            0.0
        }
    }

    /// Counts a step that has no weight.
    pub fn wait(&mut self, rate: f64) {
        self.steps += 1;
        self.largest_rate = self.largest_rate.max(rate);
    }

    /// Whether what it counts is still finite.
    pub fn is_finite(&self) -> bool {
        self.weight.is_finite()
    }

    pub fn damage(&self) -> Option<String> {
        negative(&[("largest rate", self.largest_rate), ("weight", self.weight)])
    }
}

/// a + share (b - a), exactly b for a share of 1.
pub(super) fn between(a: Tensor<1>, b: Tensor<1>, share: f64) -> Tensor<1> {
    if share < 0.5 {
        a.clone() + (b - a).mul_scalar(share)
    } else {
        b.clone() - (b - a).mul_scalar(1.0 - share)
    }
}

/// x of y = beta x + (1 - beta) z, which is y itself before the first step.
pub(super) fn averaged(y: Tensor<1>, z: Option<&Tensor<1>>, beta: f64) -> Tensor<1> {
    match z {
        Some(z) => between(y, z.clone(), 1.0 - 1.0 / beta),
        None => y,
    }
}

/// y and z after a step of z by -rate (g + w y), x moving to the new z by the share c. Of g + w y, again called g:
/// y <- (1 - c) y + c z - rate (1 - beta (1 - c)) g; z <- z - rate g, which is y = beta x + (1 - beta) z without x.
pub(super) fn moved(
    y: Tensor<1>,
    z: Tensor<1>,
    g: Tensor<1>,
    [w, rate, beta, c]: [f64; 4],
) -> [Tensor<1>; 2] {
    let g = if w > 0.0 {
        g + y.clone().mul_scalar(w)
    } else {
        g
    };
    let pulled = g.clone().mul_scalar(rate * (1.0 - beta * (1.0 - c)));
    let y = between(y, z.clone(), c) - pulled;
    [y, z - g.mul_scalar(rate)]
}
