//! SPS_max (Loizou, Vaswani, Laradji and Lacoste-Julien, 2021): SGD whose step length is Polyak's, with a bound.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::rows::Row;
use super::sums::{Sums, total};
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, finite, not_negative, positive};

/// Stochastic Polyak step with a bound, SPS_max (Loizou et al., "Stochastic Polyak Step-size for SGD", AISTATS 2021).
///
/// x <- (x - min((f - f*) / (c |g|^2), rate) g) / (1 + rate weight_decay), f being the mean loss of the batch. The decay is
/// the proximal one of MoMo, which this is without momentum; the paper has none. A loss below its bound moves nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SpsMaxSpec {
    /// gamma_b, the bound on the step length. Default 1.
    pub learning_rate: f64,
    /// c. Default 1; the authors' own program has 1/2.
    pub scale: f64,
    /// f*, the lowest loss of a batch. Default 0.
    pub lower_bound: f64,
    /// Default 0.
    pub weight_decay: f64,
}

impl Default for SpsMaxSpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            scale: 1.0,
            lower_bound: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl SpsMaxSpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| positive("scale", self.scale))
            .or_else(|| finite("lower-bound", self.lower_bound))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
    }
}

impl Method for SpsMaxSpec {
    type Numbers = ();

    const NAME: &'static str = "sps-max";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        &[]
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
        let above = (loss - self.lower_bound).max(0.0);
        // Without a gradient there is nothing to move by, however long the step.
        let length = if square > 0.0 {
            rate.min(above / (self.scale * square))
        } else {
            rate
        };
        for row in rows {
            row.descend(row.gradient.clone(), length, rate * self.weight_decay);
        }
        Ok(Some(length))
    }
}
