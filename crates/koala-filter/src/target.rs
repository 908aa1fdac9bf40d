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
    /// A share of the first loss that was measured, or 0 if that is not positive: T = f L_1. What is left below is taken for
    /// fitted, in whatever unit the loss is: a network that can fit every sample is otherwise driven on to ever surer answers, the
    /// wrong ones too. Until there is a first loss, the one at hand is it.
    Relative(f64),
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
            Self::Relative(share) if !(0.0..1.0).contains(&share) => Err(Error::invalid(
                format!("{field}.relative"),
                share,
                "at least 0 and below 1",
            )),
            _ => Ok(()),
        }
    }

    /// The target once the first loss is known: that of a share of it is a constant.
    #[must_use]
    pub fn after(self, first: f64) -> Self {
        match self {
            Self::Relative(share) => Self::Constant(share * first.max(0.0)),
            other => other,
        }
    }

    /// T for a minibatch of mean loss `loss`, which is the first one unless this is the target [after](Self::after) it.
    pub fn value(&self, loss: f64) -> f64 {
        match self.after(loss) {
            Self::Offset(offset) => loss - offset,
            Self::Constant(target) | Self::Relative(target) => target,
        }
    }

    /// The residual of a block: L_b - T, where L_b = `loss` + `penalty`; for an offset u, u itself.
    pub fn residual(&self, loss: f64, penalty: f64) -> f64 {
        match self.after(loss) {
            Self::Offset(offset) => offset,
            Self::Constant(target) | Self::Relative(target) => loss + penalty - target,
        }
    }

    /// M, the second moment of the per-sample losses about T. Never below (L - T)^2, which rounding could otherwise
    /// bring about.
    pub fn second_moment(&self, observation: &Observation) -> f64 {
        let (mean, mean_square) = (observation.mean(), observation.mean_square());
        match self.after(mean) {
            Self::Constant(0.0) => mean_square,
            Self::Constant(target) | Self::Relative(target) => {
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
