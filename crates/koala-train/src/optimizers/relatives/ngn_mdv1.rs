//! NGN-MDv1 (Islamov, Ajroldi, Orvieto and Lucchi, 2025): NGN-M in the metric of Adam.

use serde::{Deserialize, Serialize};

use super::method::{Method, Steps};
use super::ngn::{heavy_ball, length};
use super::rows::Row;
use super::sums::{Sums, total};
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, not_negative, positive, share};

/// NGN-MDv1 (Islamov et al., "Enhancing Optimizer Stability: Momentum Adaptation of The NGN Step-size", NeurIPS 2025,
/// arXiv 2508.15071, algorithm 2 and, with weight decay, Dec-NGN-MDv1 of its appendix G).
///
/// With f the mean loss of the batch, which must not be negative, and c the rate, at step k from 1:
///
/// v <- beta_2 v + (1 - beta_2) g^2; D = epsilon + sqrt(v / (1 - beta_2^k)); gamma = c / (1 + c g.(g / D) / (2 f));
/// x_(k+1) = x_k - (1 - beta_1) gamma g / D + beta_1 (x_k - x_(k-1)) - c w x_k.
///
/// gamma g / D is the step of an extended Kalman filter that observes sqrt(f) to be 0 with noise 1/2, from the covariance
/// c / D: Gauss-Newton's step on the square root of the loss in the metric D. Unlike Adam, the metric comes before the
/// momentum. What is remembered is v and x_k - x_(k-1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NgnMdv1Spec {
    /// c. Default 1e-3, the one tuned value that the paper names (appendix I.6); it tunes c in powers of ten.
    pub learning_rate: f64,
    /// Default 0.9.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// w, decoupled. Default 0.
    pub weight_decay: f64,
}

impl Default for NgnMdv1Spec {
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

impl NgnMdv1Spec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
    }
}

impl Method for NgnMdv1Spec {
    type Numbers = Steps;

    const NAME: &'static str = "ngn-mdv1";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["step", "moment_2"]
    }

    fn start(&self) -> Steps {
        Steps::default()
    }

    fn step(
        &self,
        numbers: &mut Steps,
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let beta_2 = self.beta_2;
        let correction = 1.0 - beta_2.powf(numbers.next());
        let mut sums = Sums::new();
        let mut directions = Vec::with_capacity(rows.len());
        for row in rows.iter_mut() {
            let g = row.gradient.clone();
            let (v, last) = (row.memory.pop(), row.memory.pop());
            let v = v.unwrap_or_else(|| g.zeros_like());
            let v = v.mul_scalar(beta_2) + g.clone().square().mul_scalar(1.0 - beta_2);
            let metric = v.clone().div_scalar(correction).sqrt();
            let direction = g.clone() / metric.add_scalar(self.epsilon);
            // A moment that has overflowed would hold its weight still for ever: its step is left out.
            sums.add([g * direction.clone(), v.clone()]);
            directions.push((direction, last));
            row.memory = vec![v];
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let [square, _] = total(&sums);
        let gamma = length(loss, square, rate);
        let scalars = [self.beta_1, gamma, rate * self.weight_decay];
        for (row, (direction, last)) in rows.iter_mut().zip(directions) {
            let step = heavy_ball(row, direction, last, scalars);
            row.memory.insert(0, step);
        }
        Ok(Some(gamma))
    }
}
