//! Gain schedules: pure functions of the step.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the gain is multiplied by at a step. Steps count from 0; a schedule has no state, so a resumed run needs only
/// its step.
///
/// ```
/// use koala_filter::Schedule;
/// let schedule = Schedule::Cosine { warmup: 0, total: 100, floor: 0.0 };
/// assert_eq!(schedule.factor(0), 1.0);
/// assert!((schedule.factor(50) - 0.5).abs() < 1e-12);
/// assert_eq!(schedule.factor(100), 0.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// 1 at every step.
    #[default]
    Constant,
    /// (k + 1) / warmup at step k, then 1.
    LinearWarmup {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// Multiplied by `factor` at each milestone: factor^n from the n-th milestone on.
    Milestones {
        /// Steps of linear warm-up before.
        #[serde(default)]
        warmup: u64,
        /// Steps at which the gain falls, ascending.
        milestones: Vec<u64>,
        /// What it is multiplied by at each.
        factor: f64,
    },
    /// Half a cosine from 1 at the end of the warm-up to `floor` at step `total`, where it stays.
    Cosine {
        /// Steps of linear warm-up before.
        #[serde(default)]
        warmup: u64,
        /// Step at which the floor is reached.
        total: u64,
        /// Lowest value.
        #[serde(default)]
        floor: f64,
    },
    /// Linear warm-up, then 1, then a linear fall to `floor` over the last `decay` steps before `total`.
    WarmupStableDecay {
        /// Steps of warm-up.
        warmup: u64,
        /// Step at which the floor is reached.
        total: u64,
        /// Steps of the fall.
        decay: u64,
        /// Lowest value.
        #[serde(default)]
        floor: f64,
    },
}

impl Schedule {
    /// The multiplier at step `step` (from 0).
    pub fn factor(&self, step: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::LinearWarmup { warmup } => ramp(step, *warmup),
            Self::Milestones {
                warmup,
                milestones,
                factor,
            } => {
                let passed = milestones
                    .iter()
                    .filter(|&&milestone| step >= milestone)
                    .count();
                ramp(step, *warmup) * factor.powi(i32::try_from(passed).unwrap_or(i32::MAX))
            }
            Self::Cosine {
                warmup,
                total,
                floor,
            } => {
                if step < *warmup {
                    return ramp(step, *warmup);
                }
                let progress = fraction(step - warmup, total.saturating_sub(*warmup));
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
            Self::WarmupStableDecay {
                warmup,
                total,
                decay,
                floor,
            } => {
                let start = total.saturating_sub(*decay);
                let fall = fraction(step.saturating_sub(start), total.saturating_sub(start));
                let fall = if step < start { 0.0 } else { fall };
                ramp(step, *warmup) * (1.0 - (1.0 - floor) * fall)
            }
        }
    }

    pub(crate) fn validate(&self, field: &str) -> Result<()> {
        let in_unit = |name: &str, value: f64| {
            if (0.0..=1.0).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid(
                    format!("{field}.{name}"),
                    value,
                    "in [0, 1]",
                ))
            }
        };
        let at_most = |name: &str, value: u64, limit: u64| {
            if value <= limit {
                Ok(())
            } else {
                Err(Error::invalid(
                    format!("{field}.{name}"),
                    value,
                    "at most the total number of steps",
                ))
            }
        };
        match self {
            Self::Constant | Self::LinearWarmup { .. } => Ok(()),
            Self::Milestones {
                milestones, factor, ..
            } => {
                if !milestones.is_sorted() {
                    return Err(Error::invalid(
                        format!("{field}.milestones"),
                        milestones,
                        "ascending",
                    ));
                }
                in_unit("factor", *factor)
            }
            Self::Cosine {
                warmup,
                total,
                floor,
            } => {
                at_most("warmup", *warmup, *total)?;
                in_unit("floor", *floor)
            }
            Self::WarmupStableDecay {
                warmup,
                total,
                decay,
                floor,
            } => {
                at_most("warmup", warmup.saturating_add(*decay), *total)?;
                in_unit("floor", *floor)
            }
        }
    }
}

/// Linear warm-up: never 0, so that the first step moves.
fn ramp(step: u64, warmup: u64) -> f64 {
    if step >= warmup {
        1.0
    } else {
        (step + 1) as f64 / warmup as f64
    }
}

/// step / total in [0, 1], and 1 where there is nothing to divide.
fn fraction(step: u64, total: u64) -> f64 {
    if step >= total {
        1.0
    } else {
        step as f64 / total as f64
    }
}
