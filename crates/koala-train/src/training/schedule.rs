//! How gain or learning rate move over a run, as configurations write it.

use koala_filter::Schedule;
use serde::{Deserialize, Serialize};

/// A schedule, by name, with its options. The factor multiplies KOALA's gain or the learning rate of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ScheduleSpec {
    /// 1 at every step.
    Constant {},
    /// Half a cosine from 1 to `final-factor` over all steps.
    Cosine {
        /// The factor it ends with. Default 0.
        #[serde(rename = "final-factor")]
        final_factor: f64,
    },
    /// A linear rise over `warmup-steps`, then half a cosine to `final-factor`.
    WarmupCosine {
        /// Steps of the rise. Default 100.
        #[serde(rename = "warmup-steps")]
        warmup_steps: u64,
        /// The factor it ends with. Default 0.
        #[serde(rename = "final-factor")]
        final_factor: f64,
    },
    /// Multiplied by `milestone-factor` when the given numbers of epochs are done.
    Milestones {
        /// Epochs, ascending. No default.
        milestones: Vec<u64>,
        /// Default 0.1.
        #[serde(rename = "milestone-factor")]
        milestone_factor: f64,
        /// Steps of a linear rise before. Default 0.
        #[serde(rename = "warmup-steps")]
        warmup_steps: u64,
    },
    /// Warm-up, stable, decay: a linear rise, then 1, then a linear fall to `final-factor` over the last `decay-share` of
    /// all steps.
    Wsd {
        /// Steps of the rise. Default 100.
        #[serde(rename = "warmup-steps")]
        warmup_steps: u64,
        /// Share of all steps. Default 0.2.
        #[serde(rename = "decay-share")]
        decay_share: f64,
        /// The factor it ends with. Default 0.
        #[serde(rename = "final-factor")]
        final_factor: f64,
    },
}

impl ScheduleSpec {
    /// The names of all schedules.
    pub const NAMES: [&'static str; 5] =
        ["constant", "cosine", "warmup-cosine", "milestones", "wsd"];

    /// The schedule of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "constant" => Some(Self::Constant {}),
            "cosine" => Some(Self::Cosine { final_factor: 0.0 }),
            "warmup-cosine" => Some(Self::WarmupCosine {
                warmup_steps: 100,
                final_factor: 0.0,
            }),
            "milestones" => Some(Self::Milestones {
                milestones: Vec::new(),
                milestone_factor: 0.1,
                warmup_steps: 0,
            }),
            "wsd" => Some(Self::Wsd {
                warmup_steps: 100,
                decay_share: 0.2,
                final_factor: 0.0,
            }),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant {} => "constant",
            Self::Cosine { .. } => "cosine",
            Self::WarmupCosine { .. } => "warmup-cosine",
            Self::Milestones { .. } => "milestones",
            Self::Wsd { .. } => "wsd",
        }
    }

    /// The factor of each step, for a run of `steps` steps with `steps_per_epoch` in an epoch. A warm-up longer than the
    /// run is a run that only warms up.
    pub fn over(&self, steps: u64, steps_per_epoch: u64) -> Schedule {
        match self {
            Self::Constant {} => Schedule::Constant,
            Self::Cosine { final_factor } => Schedule::Cosine {
                warmup: 0,
                total: steps,
                floor: *final_factor,
            },
            Self::WarmupCosine {
                warmup_steps,
                final_factor,
            } => Schedule::Cosine {
                warmup: *warmup_steps,
                total: steps,
                floor: *final_factor,
            },
            Self::Milestones {
                milestones,
                milestone_factor,
                warmup_steps,
            } => Schedule::Milestones {
                warmup: *warmup_steps,
                milestones: milestones
                    .iter()
                    .map(|epoch| epoch.saturating_mul(steps_per_epoch))
                    .collect(),
                factor: *milestone_factor,
            },
            Self::Wsd {
                warmup_steps,
                decay_share,
                final_factor,
            } => Schedule::WarmupStableDecay {
                warmup: *warmup_steps,
                total: steps,
                decay: (steps as f64 * decay_share).round() as u64,
                floor: *final_factor,
            },
        }
    }

    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        let unit = |key: &'static str, value: f64| {
            (!(0.0..=1.0).contains(&value))
                .then(|| (key, format!("must be in [0, 1], not {value:?}")))
        };
        match self {
            Self::Constant {} => None,
            Self::Cosine { final_factor } | Self::WarmupCosine { final_factor, .. } => {
                unit("final-factor", *final_factor)
            }
            Self::Milestones {
                milestones,
                milestone_factor,
                ..
            } => {
                if milestones.is_empty() || !milestones.is_sorted() {
                    let fault = "must be epochs in ascending order, such as 30,60".to_owned();
                    return Some(("milestones", fault));
                }
                unit("milestone-factor", *milestone_factor)
            }
            Self::Wsd {
                decay_share,
                final_factor,
                ..
            } => unit("decay-share", *decay_share).or_else(|| unit("final-factor", *final_factor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_defaults_agree() {
        for name in ScheduleSpec::NAMES {
            let spec = ScheduleSpec::named(name).unwrap();
            assert_eq!(spec.name(), name);
            let written = toml::Table::try_from(&spec).unwrap();
            assert_eq!(written["name"].as_str(), Some(name));
            assert_eq!(written.try_into::<ScheduleSpec>().unwrap(), spec);
        }
    }

    #[test]
    fn milestones_are_epochs() {
        let spec = ScheduleSpec::Milestones {
            milestones: vec![2, 3],
            milestone_factor: 0.5,
            warmup_steps: 0,
        };
        let schedule = spec.over(40, 10);
        let factors = [0, 19, 20, 30].map(|step| schedule.factor(step));
        assert_eq!(factors, [1.0, 1.0, 0.5, 0.25]);
    }

    #[test]
    fn wsd_falls_over_its_share() {
        let spec = ScheduleSpec::Wsd {
            warmup_steps: 10,
            decay_share: 0.2,
            final_factor: 0.0,
        };
        let schedule = spec.over(100, 10);
        assert_eq!(schedule.factor(4), 0.5);
        assert_eq!(schedule.factor(79), 1.0);
        assert!((schedule.factor(90) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn faults_are_named() {
        let key = |spec: ScheduleSpec| spec.fault().map(|f| f.0);
        assert_eq!(
            key(ScheduleSpec::named("milestones").unwrap()),
            Some("milestones")
        );
        assert_eq!(
            key(ScheduleSpec::Cosine { final_factor: 1.5 }),
            Some("final-factor")
        );
        assert_eq!(key(ScheduleSpec::named("wsd").unwrap()), None);
    }
}
