//! Measurement noise R: the variance of the minibatch loss about its target.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::number::power;

/// How the measurement-noise variance R is found. No division by the batch size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MeasurementNoise {
    /// A constant R.
    Fixed(f64),
    /// R <- beta_r R + (1 - beta_r) M, updated before it is used in the same step.
    Adaptive {
        /// beta_r.
        smoothing: f64,
        /// R_0.
        initial: f64,
    },
    /// R' <- beta_r R' + (1 - beta_r) M from R' = 0, and R = R' / (1 - beta_r^k) at the k-th measurement: the mean of the
    /// M that were seen, with nothing assumed before them.
    BiasCorrected {
        /// beta_r, below 1.
        smoothing: f64,
    },
}

impl Default for MeasurementNoise {
    fn default() -> Self {
        Self::Adaptive {
            smoothing: 0.9,
            initial: 1.0,
        }
    }
}

impl MeasurementNoise {
    pub(crate) fn validate(&self, field: &str) -> Result<()> {
        const POSITIVE: &str = "finite and positive";
        match *self {
            Self::Fixed(variance) if !(variance.is_finite() && variance > 0.0) => {
                Err(Error::invalid(format!("{field}.fixed"), variance, POSITIVE))
            }
            Self::Adaptive { initial, .. } if !(initial.is_finite() && initial > 0.0) => Err(
                Error::invalid(format!("{field}.adaptive.initial"), initial, POSITIVE),
            ),
            Self::Adaptive { smoothing, .. } if !(0.0..=1.0).contains(&smoothing) => {
                Err(Error::invalid(
                    format!("{field}.adaptive.smoothing"),
                    smoothing,
                    "in [0, 1]",
                ))
            }
            Self::BiasCorrected { smoothing } if !(0.0..1.0).contains(&smoothing) => {
                Err(Error::invalid(
                    format!("{field}.bias-corrected.smoothing"),
                    smoothing,
                    "at least 0 and below 1",
                ))
            }
            _ => Ok(()),
        }
    }

    /// R_0.
    pub fn initial(&self) -> f64 {
        match *self {
            Self::Fixed(variance) => variance,
            Self::Adaptive { initial, .. } => initial,
            Self::BiasCorrected { .. } => 0.0,
        }
    }

    /// R after the measurement number `count` (from 1) with second moment `second_moment` (M), from the R before it.
    pub fn measured(&self, variance: f64, second_moment: f64, count: u64) -> f64 {
        match *self {
            Self::Fixed(fixed) => fixed,
            Self::Adaptive { smoothing, .. } => {
                smoothing * variance + (1.0 - smoothing) * second_moment
            }
            // R' = (1 - beta_r^k) R: only R is kept.
            Self::BiasCorrected { smoothing } => {
                let taken_up = |count: u64| 1.0 - power(smoothing, count);
                let before = smoothing * taken_up(count.saturating_sub(1)) * variance;
                (before + (1.0 - smoothing) * second_moment) / taken_up(count)
            }
        }
    }
}
