//! The value the loss is driven to: the "measured" value of the Kalman filter.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::observation::Observation;

/// The target T of the loss. A gain e with target 0 is the target (1 - e) L, so a learning-rate schedule is a target
/// schedule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// T itself: the residual of a block is L_b - T, and the second moment M is taken about T.
    Constant(f64),
    /// The target follows the loss at a distance: T = L - u, so that the residual is always u (losses without a lower
    /// bound, such as a Wasserstein critic's; the paper's GANs use u = 4). M is taken about T: variance + u^2.
    Offset(f64),
}

impl Default for Target {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

impl Target {
    pub(crate) fn validate(&self, field: &str) -> Result<()> {
        match *self {
            Self::Constant(target) if !target.is_finite() => Err(Error::invalid(
                format!("{field}.constant"),
                target,
                "finite",
            )),
            Self::Offset(offset) if !(offset.is_finite() && offset >= 0.0) => Err(Error::invalid(
                format!("{field}.offset"),
                offset,
                "finite and not negative",
            )),
            _ => Ok(()),
        }
    }

    /// T for a minibatch of mean loss `loss`.
    pub fn value(&self, loss: f64) -> f64 {
        match *self {
            Self::Constant(target) => target,
            Self::Offset(offset) => loss - offset,
        }
    }

    /// The residual of a block: L_b - T, where L_b = `loss` + `penalty`; for an offset u, u itself.
    pub fn residual(&self, loss: f64, penalty: f64) -> f64 {
        match *self {
            Self::Constant(target) => loss + penalty - target,
            Self::Offset(offset) => offset,
        }
    }

    /// M, the second moment of the per-sample losses about T. Never below (L - T)^2, which rounding could otherwise
    /// bring about.
    pub fn second_moment(&self, observation: &Observation) -> f64 {
        let (mean, mean_square) = (observation.mean(), observation.mean_square());
        match *self {
            Self::Constant(0.0) => mean_square,
            Self::Constant(target) => {
                let deviation = mean - target;
                let moment = mean_square - 2.0 * target * mean + target * target;
                if moment < deviation * deviation {
                    deviation * deviation
                } else {
                    moment
                }
            }
            Self::Offset(offset) => {
                let variance = mean_square - mean * mean;
                if variance < 0.0 {
                    offset * offset
                } else {
                    variance + offset * offset
                }
            }
        }
    }
}
