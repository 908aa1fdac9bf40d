//! How much hyperparameters matter: each alone, over a geometric grid around its default.

use std::collections::BTreeMap;

use koala_report::Role;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{ConfigError, RunConfig};

use super::Suite;
use super::planned::{Planned, with};
use super::resolved::{Entry, Resolved};
use super::space::value_of;

/// Name of the batch's size among hyperparameters.
const BATCH_SIZE: &str = "batch-size";

/// Decades to each end that are taken: with fewer, values beside each other would become the same number.
const DECADES: std::ops::RangeInclusive<f64> = 0.001..=10.0;

/// What is swept, how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepPlan {
    /// Values of each hyperparameter; an odd number, so that the default is the middle one.
    pub points: usize,
    /// Decades from the default to each end.
    pub decades: f64,
}

impl SweepPlan {
    /// What is wrong with it, if something is.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] that names the flag.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fault = |origin: &str, fault: String| {
            Err(ConfigError::Value {
                origin: origin.to_owned(),
                fault,
            })
        };
        if self.points.is_multiple_of(2) || !(3..=101).contains(&self.points) {
            return fault(
                "--points",
                format!(
                    "must be an odd number between 3 and 101, so that the default is in the middle, not {}",
                    self.points
                ),
            );
        }
        if !DECADES.contains(&self.decades) {
            return fault(
                "--decades",
                format!(
                    "must be between {} and {}, not {}",
                    DECADES.start(),
                    DECADES.end(),
                    self.decades
                ),
            );
        }
        Ok(())
    }

    /// The values around a default, ascending; the middle one is the default itself.
    fn around(&self, default: f64) -> Vec<f64> {
        let half = (self.points / 2) as i64;
        let at = |place: i64| match place {
            0 => default,
            _ => default * 10f64.powf(self.decades * place as f64 / half as f64),
        };
        (-half..=half).map(at).collect()
    }
}

/// What is swept of an optimizer: what scales its steps, and for KOALA the process noise and P_0.
fn hyperparameters(optimizer: &OptimizerSpec) -> Vec<&'static str> {
    let mut all = vec![optimizer.knob()];
    match optimizer {
        OptimizerSpec::KoalaM(_) => all.extend(["velocity-noise", "initial-covariance"]),
        OptimizerSpec::KoalaV(_) | OptimizerSpec::KoalaPp(_) => {
            all.extend(["process-noise", "initial-covariance"]);
        }
        OptimizerSpec::KoalaA(_) => all.push("initial-process-noise"),
        _ => {}
    }
    all
}

/// The runs of all sweeps on a problem. They never meet the test samples.
pub(super) fn sweep_runs(
    suite: &Suite,
    problem: (usize, &Resolved),
    plan: &SweepPlan,
) -> Vec<Planned> {
    let mut runs = Vec::new();
    for &seed in &suite.seeds {
        for entry in &problem.1.entries {
            for (parameter, default, value, mut config) in points(entry, problem.1, plan, seed) {
                config.test = false;
                let role = Role::Sweep {
                    parameter: parameter.to_owned(),
                    value,
                    default,
                };
                runs.push(Planned::new(problem, entry, config, role));
            }
        }
    }
    runs
}

type Point = (&'static str, f64, f64, RunConfig);

/// Every point of an optimizer's sweeps: the hyperparameter, its default, the value, the configuration. Values that the
/// optimizer refuses, and batches larger than the data, have none.
fn points(entry: &Entry, resolved: &Resolved, plan: &SweepPlan, seed: u64) -> Vec<Point> {
    let mut found = Vec::new();
    for parameter in hyperparameters(&entry.config.optimizer) {
        let Some(default) = value_of(&entry.config.optimizer, parameter) else {
            continue;
        };
        // There is no geometric grid around nothing.
        if default <= 0.0 || !default.is_finite() {
            continue;
        }
        for value in plan.around(default) {
            let values = BTreeMap::from([(parameter.to_owned(), value)]);
            if let Some(config) = with(&entry.config, &values, seed) {
                found.push((parameter, default, value, config));
            }
        }
    }
    let default = entry.config.batch_size;
    let mut met = Vec::new();
    for value in plan.around(default as f64) {
        let size = value.round().max(1.0) as usize;
        if met.contains(&size) || size > resolved.samples && size != default {
            continue;
        }
        met.push(size);
        let mut config = entry.config.clone();
        config.seed = seed;
        config.batch_size = size;
        found.push((BATCH_SIZE, default as f64, size as f64, config));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_in_the_middle_to_the_bit() {
        let plan = SweepPlan {
            points: 5,
            decades: 1.0,
        };
        let values = plan.around(0.3);
        assert_eq!(values[2], 0.3);
        for (value, expected) in values.iter().zip([0.03, 0.3 / 10f64.sqrt(), 0.3]) {
            assert!((value / expected - 1.0).abs() < 1e-12, "{values:?}");
        }
        assert!((values[4] - 3.0).abs() < 1e-12);
        let even = SweepPlan { points: 4, ..plan }.check().unwrap_err();
        assert!(even.to_string().starts_with("--points: must be an odd"));
        for decades in [f64::NAN, 0.0, 1e-17, 11.0] {
            let other = SweepPlan { decades, ..plan }.check().unwrap_err();
            assert!(other.to_string().starts_with("--decades: must be between"));
        }
    }

    #[test]
    fn no_value_is_tried_twice() {
        let narrowest = SweepPlan {
            points: 101,
            decades: *DECADES.start(),
        };
        narrowest.check().unwrap();
        // As options are held, and as steps are made.
        for default in [1e-6, 0.3, 1.0, 1e3] {
            let values = narrowest.around(default);
            assert!(
                values
                    .windows(2)
                    .all(|pair| (pair[0] as f32) < pair[1] as f32)
            );
        }
    }
}
