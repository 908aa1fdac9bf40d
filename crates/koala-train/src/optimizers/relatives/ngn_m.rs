//! NGN-M (Islamov, Ajroldi, Orvieto and Lucchi, 2025): SGD with momentum whose step length is NGN's.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::ngn::{heavy_ball, length};
use super::rows::Row;
use super::sums::{Sums, total};
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, not_negative, share};

/// NGN-M (Islamov et al., "Enhancing Optimizer Stability: Momentum Adaptation of The NGN Step-size", NeurIPS 2025,
/// arXiv 2508.15071, algorithm 1).
///
/// With f the mean loss of the batch, which must not be negative, and c the rate:
///
/// gamma = c / (1 + c |g|^2 / (2 f)); x_(k+1) = x_k - (1 - beta) gamma g + beta (x_k - x_(k-1)) - c w x_k.
///
/// gamma g is the step of an extended Kalman filter that observes sqrt(f) to be 0 with noise 1/2, from the covariance c I
/// anew at each step: Gauss-Newton's step on the square root of the loss. The decay is decoupled as the paper has it for
/// NGN-MDv1; of NGN-M it says nothing. What is remembered is x_k - x_(k-1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NgnMSpec {
    /// c. Default 1; the paper tunes it in powers of ten.
    pub learning_rate: f64,
    /// beta. Default 0.9.
    pub momentum: f64,
    /// w, decoupled. Default 0.
    pub weight_decay: f64,
}

impl Default for NgnMSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            momentum: 0.9,
            weight_decay: 0.0,
        }
    }
}

impl NgnMSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("momentum", self.momentum))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
    }
}

impl Method for NgnMSpec {
    type Numbers = ();

    const NAME: &'static str = "ngn-m";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &["step"]
    }

    fn start(&self) {}

    fn step(
        &self,
        (): &mut (),
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        let mut sums = Sums::new();
        for row in rows.iter() {
            sums.add([row.gradient.clone().square()]);
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let [square] = total(&sums);
        let gamma = length(loss, square, rate);
        for row in rows {
            let (last, g) = (row.memory.pop(), row.gradient.clone());
            let step = heavy_ball(
                row,
                g,
                last,
                [self.momentum, gamma, rate * self.weight_decay],
            );
            row.memory = vec![step];
        }
        Ok(Some(gamma))
    }
}
