//! How long a run is, and the same run longer or shorter.

use koala_data::Data;

use super::{ConfigError, RunConfig};
use crate::training::{AverageSpec, ScheduleSpec};

/// Epochs that a run may have.
const MOST_EPOCHS: u64 = 1_000_000;

impl RunConfig {
    /// Steps in an epoch of these data.
    pub fn steps_per_epoch(&self, data: &Data) -> u64 {
        let batches = match data {
            Data::Text(corpus) => self.windows(&corpus.train).count(),
            _ => self.order(data.sizes().train).batches(),
        };
        batches as u64
    }

    /// Steps in all.
    pub fn steps(&self, data: &Data) -> u64 {
        let all = self
            .steps_per_epoch(data)
            .saturating_mul(self.epochs as u64);
        match self.max_steps {
            0 => all,
            limit => all.min(limit),
        }
    }

    /// The same run with `factor` times as many steps, to the nearest whole one, at least one. What is told in epochs and not in
    /// shares of the run (milestones, the first epoch of SWA) moves along; warm-up and how often is evaluated stay as they are.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] if that is more epochs than a run may have.
    pub fn stretched(&self, factor: f64, data: &Data) -> Result<Self, ConfigError> {
        let mut stretched = self.clone();
        let per_epoch = self.steps_per_epoch(data);
        if factor == 1.0 || per_epoch == 0 {
            return Ok(stretched);
        }
        let steps = ((self.steps(data) as f64 * factor).round() as u64).max(1);
        let epochs = steps.div_ceil(per_epoch);
        if epochs > MOST_EPOCHS {
            return Err(ConfigError::Value {
                origin: format!("horizon {factor}"),
                fault: format!(
                    "makes {epochs} epochs, more than {MOST_EPOCHS}: give a smaller one"
                ),
            });
        }
        stretched.epochs = epochs as usize;
        stretched.max_steps = match steps == epochs * per_epoch {
            true => 0,
            false => steps,
        };
        let moved = |epoch: &mut u64| {
            if *epoch > 0 {
                *epoch = ((*epoch as f64 * factor).round() as u64).max(1);
            }
        };
        if let ScheduleSpec::Milestones { milestones, .. } = &mut stretched.schedule {
            milestones.iter_mut().for_each(moved);
        }
        if let AverageSpec::Swa { swa_start, .. } = &mut stretched.average {
            moved(swa_start);
        }
        Ok(stretched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Override;

    fn config(over: &[Override]) -> (RunConfig, Data) {
        let config = RunConfig::resolve(None, over).unwrap();
        let data = config.load().unwrap().data;
        (config, data)
    }

    #[test]
    fn steps_are_multiplied_and_whole_epochs_stay_whole() {
        let (config, data) = config(&[Override::new("epochs", 3)]);
        let per_epoch = config.steps_per_epoch(&data);
        assert_eq!(config.steps(&data), 3 * per_epoch);
        let at = |factor: f64| {
            let stretched = config.stretched(factor, &data).unwrap();
            assert_eq!(stretched.fault(), None);
            (
                stretched.epochs,
                stretched.max_steps,
                stretched.steps(&data),
            )
        };
        assert_eq!(config.stretched(1.0, &data).unwrap(), config);
        assert_eq!(at(2.0), (6, 0, 6 * per_epoch));
        let half = (3.0 * per_epoch as f64 / 2.0).round() as u64;
        assert_eq!(at(0.5), (2, half, half));
        assert_eq!(at(1e-9), (1, 1, 1));
        assert!(config.stretched(1e9, &data).is_err());
    }

    #[test]
    fn a_limit_of_steps_is_multiplied_and_milestones_move_along() {
        let (config, data) = config(&[
            Override::new("epochs", 4),
            Override::new("max-steps", 50),
            Override::new("schedule.name", "milestones"),
            Override::new("schedule.milestones", vec![1, 3]),
        ]);
        assert_eq!(config.steps(&data), 50);
        let twice = config.stretched(2.0, &data).unwrap();
        assert_eq!(twice.steps(&data), 100);
        let milestones = |config: &RunConfig| match &config.schedule {
            ScheduleSpec::Milestones { milestones, .. } => milestones.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(milestones(&twice), [2, 6]);
        assert_eq!(milestones(&config.stretched(0.4, &data).unwrap()), [1, 1]);
    }
}
