//! What is not used: missing measurements, blocks without a usable gradient, residuals below the target.

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::options::NegativeResidual;
use crate::report::SkipReason;
use crate::statistics::BlockStatistics;

/// |g_b|^2 below which a block is skipped: |g_b| < 1e-9.
const VANISHING_SQUARED: f64 = 1e-9 * 1e-9;

/// Why the whole measurement is missing, if it is.
pub(crate) fn missing_cause(
    loss: f64,
    second_moment: f64,
    statistics: &[Option<BlockStatistics>],
    layout: &Layout,
) -> Option<String> {
    if !loss.is_finite() {
        return Some(format!("loss is {loss}"));
    }
    if !second_moment.is_finite() {
        return Some(format!("mean squared loss is {second_moment}"));
    }
    statistics.iter().zip(layout.parameters()).find_map(
        |(statistics, parameter)| match statistics {
            Some(found) if !found.is_finite() => {
                let what = if found.parameter_squared.is_finite() {
                    "gradient"
                } else {
                    "parameter"
                };
                Some(format!("norm of {what} '{}' is not finite", parameter.name))
            }
            _ => None,
        },
    )
}

/// Whether the gradient of a block is too small to be used.
pub(crate) fn vanishing(statistics: &BlockStatistics) -> Option<SkipReason> {
    (statistics.gradient_squared < VANISHING_SQUARED).then_some(SkipReason::VanishingGradient)
}

/// The residual under the policy, and whether it was clamped.
pub(crate) fn guarded_residual(
    residual: f64,
    policy: NegativeResidual,
    block: &str,
    target: f64,
) -> Result<(f64, bool)> {
    if residual >= 0.0 {
        return Ok((residual, false));
    }
    match policy {
        NegativeResidual::Clamp => Ok((0.0, true)),
        NegativeResidual::Allow => Ok((residual, false)),
        NegativeResidual::Error => Err(Error::LossBelowTarget {
            block: block.to_owned(),
            loss: residual + target,
            target,
        }),
    }
}
