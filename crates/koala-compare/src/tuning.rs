//! How a suite tunes hyperparameters, and which optimizers run as they are.

use std::collections::BTreeMap;

use koala_report::Sampler;
use koala_train::run::{ConfigError, hint};
use toml::{Table, Value};

use super::arm::names;
use super::check::{check_listed, check_once, check_seeds};
use super::reader::Reader;
use super::space::{Range, Space};
use super::{Arm, Suite};

/// The first seed of trials, unless it is reported.
const FIRST_TUNING_SEED: u64 = 1000;

/// How hyperparameters are tuned.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningPlan {
    /// Trials of each optimizer on each problem.
    pub trials: usize,
    /// Where trials come from.
    pub sampler: Sampler,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// What is tried, by arm, or by optimizer for all arms of it that are not here; those of neither have a default.
    pub space: BTreeMap<String, Space>,
    /// Arms that are not tuned, but run as they are.
    pub untuned: Vec<String>,
    /// Whether those that are tuned are reported as they are too.
    pub defaults: bool,
}

impl TuningPlan {
    /// Trials of the default spaces.
    pub fn of_defaults(trials: usize, reported: &[u64]) -> Self {
        Self {
            trials,
            sampler: Sampler::Halton,
            seeds: vec![fresh_seed(reported)],
            space: BTreeMap::new(),
            untuned: Vec::new(),
            defaults: true,
        }
    }

    /// Whether the arm of this name is tuned.
    pub fn tunes(&self, arm: &str) -> bool {
        !self.untuned.iter().any(|untuned| untuned == arm)
    }
}

/// The first seed for trials that is not reported.
fn fresh_seed(reported: &[u64]) -> u64 {
    let mut seed = FIRST_TUNING_SEED;
    while reported.contains(&seed) {
        seed += 1;
    }
    seed
}

/// `[tuning]`.
pub(super) fn read_tuning(
    table: Table,
    origin: &str,
    arms: &[Arm],
    reported: &[u64],
) -> Result<TuningPlan, ConfigError> {
    let mut reader = Reader::new(origin, "tuning", table);
    let trials = reader.count("trials")?;
    let sampler = reader.text("sampler")?;
    let seeds = reader.counts("seeds")?;
    let spaces = reader.inner("space")?.unwrap_or_default();
    let (tuned, untuned) = (reader.texts("optimizers")?, reader.texts("untuned")?);
    let defaults = reader.flag("defaults")?.unwrap_or(true);
    reader.end()?;
    let trials = reader.needed("trials", trials, "trials = 4")?;
    if !(1..=10_000).contains(&trials) {
        return Err(reader.fault(
            "trials",
            format!("must be between 1 and 10000, not {trials}"),
        ));
    }
    let sampler = match sampler.as_deref() {
        None | Some("halton") => Sampler::Halton,
        Some("grid") => Sampler::Grid,
        Some(other) => {
            let fault = format!("must be 'halton' or 'grid', not '{other}'");
            return Err(reader.fault("sampler", fault));
        }
    };
    let seeds = seeds.unwrap_or_else(|| vec![fresh_seed(reported)]);
    check_seeds(&reader.origin("seeds"), &seeds)?;
    if let Some(seed) = seeds.iter().find(|seed| reported.contains(seed)) {
        let fault = format!(
            "{seed} is one of the reported seeds, for which hyperparameters would then have been chosen: give others"
        );
        return Err(reader.fault("seeds", fault));
    }
    let untuned = read_untuned(&reader, tuned, untuned, arms)?;
    check_listed(origin, "tuning.space", spaces.keys(), arms)?;
    let idle = |name: &&String| {
        let mut tuned = arms.iter().filter(|arm| !untuned.contains(&arm.name));
        !tuned.any(|arm| arm.tables().any(|table| table == *name))
    };
    if let Some(name) = spaces.keys().find(idle) {
        return Err(ConfigError::Value {
            origin: format!("{origin}: tuning.space.{name}"),
            fault: format!("{name} is not tuned: leave its space out, or tune it"),
        });
    }
    let mut space = BTreeMap::new();
    for (optimizer, ranges) in spaces {
        let path = format!("tuning.space.{optimizer}");
        let Value::Table(ranges) = ranges else {
            return Err(ConfigError::Value {
                origin: format!("{origin}: {path}"),
                fault: format!("must be a table of hyperparameters, not {ranges}"),
            });
        };
        if ranges.is_empty() {
            return Err(ConfigError::Value {
                origin: format!("{origin}: {path}"),
                fault: "holds no hyperparameter: leave it out for the default space".to_owned(),
            });
        }
        let read = |(key, value): (&String, &Value)| {
            let range = Range::read(origin, &format!("{path}.{key}"), value)?;
            Ok((key.clone(), range))
        };
        let ranges: Result<Space, ConfigError> = ranges.iter().map(read).collect();
        space.insert(optimizer, ranges?);
    }
    Ok(TuningPlan {
        trials: trials as usize,
        sampler,
        seeds,
        space,
        untuned,
        defaults,
    })
}

impl Suite {
    /// Leaves these arms as they are when the others are tuned; `origin` says who asks for it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one of them is no arm of the suite or there twice, or all are there.
    pub fn leave_untuned(&mut self, origin: &str, listed: &[String]) -> Result<(), ConfigError> {
        let left = chosen(origin, &self.arms, listed, true)?;
        if let Some(tuning) = &mut self.tuning {
            tuning.untuned = left;
        }
        Ok(())
    }
}

/// The arms that are not tuned, from the list of those that are or from their own.
fn read_untuned(
    reader: &Reader,
    tuned: Option<Vec<String>>,
    untuned: Option<Vec<String>>,
    arms: &[Arm],
) -> Result<Vec<String>, ConfigError> {
    match (tuned, untuned) {
        (None, None) => Ok(Vec::new()),
        (Some(_), Some(_)) => {
            let fault = "says the same as tuning.optimizers: give one of both";
            Err(reader.fault("untuned", fault))
        }
        (Some(listed), None) => chosen(&reader.origin("optimizers"), arms, &listed, false),
        (None, Some(listed)) => chosen(&reader.origin("untuned"), arms, &listed, true),
    }
}

/// The names of the arms that are in the list, or of those that are not; some are left besides.
fn chosen(
    origin: &str,
    arms: &[Arm],
    listed: &[String],
    in_list: bool,
) -> Result<Vec<String>, ConfigError> {
    let known = names(arms);
    if let Some(name) = listed.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(ConfigError::UnknownName {
            origin: origin.to_owned(),
            group: "optimizer of the suite",
            name: name.clone(),
            hint: hint(name, &known),
        });
    }
    check_once(origin, listed)?;
    let all = arms.iter().map(|arm| arm.name.clone());
    let chosen: Vec<String> = all
        .filter(|name| listed.contains(name) == in_list)
        .collect();
    match chosen.len() == arms.len() {
        false => Ok(chosen),
        true => Err(ConfigError::Value {
            origin: origin.to_owned(),
            fault: "leaves nothing to tune: leave out one of them, or the tuning".to_owned(),
        }),
    }
}
