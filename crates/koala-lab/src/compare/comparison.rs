//! Doing a comparison.

use std::path::PathBuf;

use serde::Serialize;

use super::{Report, Row, SeedResult, StepsToTarget};
use crate::Error;
use crate::models::ModelSpec;
use crate::run::{self, ConfigError, RunConfig, RunFolder};
use crate::training::{Both, Event, Interrupt, Observer};

/// What to compare.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// One configuration an optimizer, all for the same data set, network and epochs; their seeds do not matter.
    pub configs: Vec<RunConfig>,
    /// The seeds that each of them runs with.
    pub seeds: Vec<u64>,
    /// The training loss whose steps are counted, in nats.
    pub target_loss: f64,
    /// Where each run gets a folder of its own, named after optimizer and seed, beside a `comparison.json`.
    pub folder: Option<PathBuf>,
    /// Whether runs that stand there are replaced.
    pub overwrite: bool,
}

/// Which run of a comparison an event comes from.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RunPosition {
    /// The run, from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
    /// Name of its optimizer.
    pub optimizer: &'static str,
    /// Its seed.
    pub seed: u64,
}

/// Someone who is told of every event of every run.
pub trait CompareObserver {
    /// Called for each event, in order.
    fn observe(&mut self, position: RunPosition, event: &Event);
}

impl CompareObserver for crate::training::Silent {
    fn observe(&mut self, _position: RunPosition, _event: &Event) {}
}

/// Runs every optimizer with every seed, one run after another so that seconds mean something, and reports a row for each
/// optimizer, in their order. A run that fails is kept as a failure and the others go on. After an interrupt the rows hold
/// the runs that were finished.
///
/// # Errors
///
/// [`Error`] if the data cannot be read or the folder cannot be had.
pub fn compare(
    comparison: &Comparison,
    observer: &mut dyn CompareObserver,
    interrupt: &Interrupt,
) -> Result<Report, Error> {
    let mut report = Report::new(comparison);
    let Some(first) = comparison.configs.first() else {
        return Ok(report);
    };
    let made = |config: &&RunConfig| matches!(config.model, ModelSpec::Dcgan(_));
    if let Some(config) = comparison.configs.iter().find(made) {
        return Err(ConfigError::Value {
            origin: "--model".to_owned(),
            fault: format!(
                "a comparison is about loss and error, which {} has not: train it with each optimizer and compare \
                 test_distance in their result.json",
                config.model.name()
            ),
        }
        .into());
    }
    let split = first.load()?;
    let parent = match &comparison.folder {
        Some(path) => Some(RunFolder::take(path, comparison.overwrite)?),
        None => None,
    };
    let count = comparison.configs.len() * comparison.seeds.len();
    let mut results: Vec<Vec<SeedResult>> = vec![Vec::new(); comparison.configs.len()];
    let mut index = 0;
    // Seed by seed, so that an interrupted comparison has all optimizers for the seeds it did.
    for &seed in &comparison.seeds {
        for (config, results) in comparison.configs.iter().zip(&mut results) {
            if interrupt.is_set() {
                continue;
            }
            let mut config = config.clone();
            config.seed = seed;
            let mut target = StepsToTarget::new(comparison.target_loss);
            let mut relay = Relay {
                position: RunPosition {
                    index,
                    count,
                    optimizer: config.optimizer.name(),
                    seed,
                },
                observer: &mut *observer,
            };
            index += 1;
            let mut both = Both(&mut target, &mut relay);
            let outcome = match &parent {
                Some(parent) => {
                    let name = format!("{}-seed{}", config.optimizer.name(), config.seed);
                    RunFolder::take(&parent.path().join(name), comparison.overwrite)?
                        .execute_on(&config, &split, &mut both, interrupt)
                }
                None => run::execute_on(&config, &split, &mut both, interrupt),
            };
            if interrupt.is_set() {
                continue;
            }
            let (result, failure) = match outcome {
                Ok(outcome) => (Some(outcome.result), None),
                Err(error) => (None, Some(error.to_string())),
            };
            results.push(SeedResult {
                seed,
                steps_to_target: target.reached(),
                result,
                failure,
            });
        }
    }
    report.rows = comparison
        .configs
        .iter()
        .zip(results)
        .map(|(config, results)| Row::new(config.optimizer.name(), results))
        .collect();
    if let Some(parent) = &parent {
        report.write(parent.path())?;
    }
    Ok(report)
}

struct Relay<'a> {
    position: RunPosition,
    observer: &'a mut dyn CompareObserver,
}

impl Observer for Relay<'_> {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        self.observer.observe(self.position, event);
        Ok(())
    }
}
