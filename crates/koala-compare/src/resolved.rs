//! A suite with every configuration resolved, checked against the data before anything runs.

use koala_data::{Data, DataKind, Loaded, PartSizes};
use koala_report::{Horizon, Measure, Workload};
use koala_train::optimizers::OptimizerSpec;
use koala_train::own::OwnOptimizer;
use koala_train::run::{ConfigError, DatasetSpec, ModelSpec, Override, RunConfig, hint};
use koala_train::training::Measure as Judged;

use super::arm::check_apart;
use super::check::{check_seeds, repeated};
use super::horizons::{check_horizons, name_at};
use super::space::{Space, Values, default_space, numbers, trials, with_values};
use super::{Arm, Problem, Suite, TuningPlan};
use crate::Error;

/// Of so many training images or rows one is held out to choose by, if nothing is said.
const HELD_OUT: usize = 10;

/// A problem for every optimizer.
#[derive(Debug)]
pub(super) struct Resolved {
    /// What the listing says of it.
    pub workload: Workload,
    /// One an arm, in the suite's order.
    pub entries: Vec<Entry>,
    /// Samples to train on (tokens of text).
    pub samples: usize,
    /// What tells whether data of one's own have changed, see [`Loaded::fingerprint`].
    pub fingerprint: Option<String>,
}

/// An arm on a problem.
#[derive(Debug)]
pub(super) struct Entry {
    /// The arm.
    pub arm: Arm,
    /// The configuration, of which seed and `test` are set later.
    pub config: RunConfig,
    /// What tuning tries; empty without tuning.
    pub trials: Vec<Values>,
}

impl Suite {
    /// Every configuration, checked against its data. `visit` sees each problem with its data.
    pub(super) fn resolve(
        &self,
        visit: &mut dyn FnMut(&Resolved, &Data) -> Result<(), Error>,
    ) -> Result<Vec<Resolved>, Error> {
        if self.problems.is_empty() || self.arms.is_empty() {
            return Err(self.empty().into());
        }
        if !self.horizons.is_empty() {
            let origin = format!("{}: horizons", self.origin);
            check_horizons(&origin, &self.horizons, self.reference.as_deref())?;
        }
        check_seeds(&format!("{}: seeds", self.origin), &self.seeds)?;
        if let Some(tuning) = &self.tuning {
            check_seeds(&format!("{}: tuning.seeds", self.origin), &tuning.seeds)?;
        }
        check_apart(&format!("{}: optimizers", self.origin), &self.arms)?;
        // Mistakes in words first: data take time to read.
        let mut all: Vec<(&Problem, Vec<RunConfig>)> = Vec::with_capacity(self.problems.len());
        for problem in &self.problems {
            let mut configs = Vec::with_capacity(self.arms.len());
            for arm in &self.arms {
                configs.push(self.config(problem, arm)?);
            }
            // What is found over all workloads would count its runs twice.
            let is_same = |(other, others): &&(&Problem, Vec<RunConfig>)| {
                problem.is_judged_as(other) && configs == *others
            };
            if let Some((other, _)) = all.iter().find(is_same) {
                return Err(ConfigError::Value {
                    origin: format!("{}: workload {}", self.origin, problem.name),
                    fault: format!(
                        "is workload {} once more: leave one out, or let them differ below [workload.set]",
                        other.name
                    ),
                }
                .into());
            }
            all.push((problem, configs));
        }
        let mut resolved = Vec::with_capacity(all.len());
        for (problem, configs) in all {
            let (lengths, loaded) = self.resolve_one(problem, configs)?;
            let fingerprint = loaded.fingerprint().map(str::to_owned);
            for (at, mut found) in lengths.into_iter().enumerate() {
                found.fingerprint.clone_from(&fingerprint);
                // Once, however many lengths there are.
                if at == 0 {
                    found.workload.data_warnings =
                        loaded.warnings.iter().map(ToString::to_string).collect();
                }
                visit(&found, &loaded.data)?;
                resolved.push(found);
            }
        }
        Ok(resolved)
    }

    fn config(&self, problem: &Problem, arm: &Arm) -> Result<RunConfig, Error> {
        let mut overrides = problem.overrides.clone();
        let own = self.own.optimizer_called(&arm.optimizer);
        if own.is_none() {
            overrides.push(Override::new("optimizer.name", arm.optimizer.as_str()));
        }
        let mut recipe = problem.recipe.clone();
        for name in arm.tables() {
            if let Some(over) = self.overlays.get(name) {
                let origin = format!(
                    "{}: workload {}, with [optimizer.{name}]",
                    self.origin, problem.name
                );
                recipe = recipe.laid_over(origin, over.clone());
            }
        }
        if own.is_none() && !arm.options.is_empty() {
            recipe = recipe.with_options(arm.origin.clone(), &arm.optimizer, &arm.options)?;
        }
        if own.is_none()
            && let Some(options) = problem.options.get(&arm.name)
        {
            let origin = format!(
                "{}: workload {}, optimizers.{}",
                self.origin, problem.name, arm.name
            );
            recipe = recipe.with_options(origin, &arm.optimizer, options)?;
        }
        let mut config = recipe.resolve(&overrides)?.pinned()?;
        if let Some(data) = &problem.data {
            config.dataset = DatasetSpec::Own(data.clone());
        }
        if let Some(model) = &problem.model {
            config.model = ModelSpec::Own(model.clone());
        }
        if let Some(own) = own {
            config.optimizer = OptimizerSpec::Own(self.own_options(own, problem, arm)?);
        }
        if matches!(config.model, ModelSpec::Dcgan(_)) {
            return Err(ConfigError::Value {
                origin: format!("{}: workload {}", self.origin, problem.name),
                fault: format!(
                    "a comparison is about loss and error, which {} has not: train it with each optimizer and compare \
                     test_distance in their result.json",
                    config.model.name()
                ),
            }
            .into());
        }
        Ok(config)
    }

    /// An optimizer of your own with what is said of it, from the farthest to the arm's own on this problem.
    fn own_options(
        &self,
        own: &OwnOptimizer,
        problem: &Problem,
        arm: &Arm,
    ) -> Result<OwnOptimizer, ConfigError> {
        let of_problem = |name: &String| {
            let options = problem.options.get(name)?;
            let origin = format!(
                "{}: workload {}, optimizers.{name}",
                self.origin, problem.name
            );
            Some((origin, options))
        };
        let of_arm = (arm.name != arm.optimizer).then_some(&arm.name);
        let told = of_problem(&arm.optimizer)
            .into_iter()
            .chain([(arm.origin.clone(), &arm.options)])
            .chain(of_arm.and_then(of_problem));
        let mut own = own.clone();
        for (origin, options) in told {
            own = (own.with_options(options)).map_err(|(key, fault)| ConfigError::Value {
                origin: format!("{origin}: {key}"),
                fault,
            })?;
        }
        Ok(own)
    }

    fn resolve_one(
        &self,
        problem: &Problem,
        mut configs: Vec<RunConfig>,
    ) -> Result<(Vec<Resolved>, Loaded), Error> {
        let Some(first) = configs.first() else {
            return Err(self.empty().into());
        };
        let kind = first.dataset.kind();
        // What is missing is told in the order in which a run asks for it.
        first.device.open()?;
        let loaded = if kind != DataKind::Text && first.validation == 0 {
            let PartSizes {
                train, validation, ..
            } = first.dataset.load(None, 0)?.data.sizes();
            // A folder of pictures may have a part to choose by.
            let held_out = match validation {
                0 => (first.limited(train) / HELD_OUT).max(1),
                _ => 0,
            };
            for config in &mut configs {
                config.validation = held_out;
            }
            // Read once more as every run will read them.
            configs.first().ok_or_else(|| self.empty())?.load()?
        } else {
            first.load()?
        };
        for config in &configs {
            let mut config = config.clone();
            config.test = false;
            config.check(&loaded.data)?;
        }
        let data = &loaded.data;
        let lengths: Result<Vec<Resolved>, Error> = match self.horizons.as_slice() {
            [] => self
                .resolve_at(problem, configs, None, data)
                .map(|one| vec![one]),
            several => several
                .iter()
                .map(|factor| {
                    let stretched: Result<Vec<RunConfig>, ConfigError> = configs
                        .iter()
                        .map(|config| config.stretched(*factor, data))
                        .collect();
                    self.resolve_at(problem, stretched?, Some(*factor), data)
                })
                .collect(),
        };
        let lengths = lengths?;
        self.check_lengths(problem, &lengths, data)?;
        Ok((lengths, loaded))
    }

    /// Whether each length of a problem is another one: two may come to the same number of steps.
    fn check_lengths(
        &self,
        problem: &Problem,
        lengths: &[Resolved],
        data: &Data,
    ) -> Result<(), ConfigError> {
        let steps = |one: &Resolved| one.entries.first().map(|entry| entry.config.steps(data));
        let all: Vec<Option<u64>> = lengths.iter().map(steps).collect();
        let Some(Some(same)) = repeated(&all) else {
            return Ok(());
        };
        let mut equal = (self.horizons.iter().zip(&all))
            .filter(|(_, steps)| **steps == Some(*same))
            .map(|(factor, _)| factor);
        let (Some(one), Some(other)) = (equal.next(), equal.next()) else {
            return Ok(());
        };
        let plural = if *same == 1 { "" } else { "s" };
        Err(ConfigError::Value {
            origin: format!("{}: horizons", self.origin),
            fault: format!(
                "{one} and {other} both come to {same} step{plural} of workload {}: leave one out, or make it longer",
                problem.name
            ),
        })
    }

    /// A problem at one of several lengths, or, if nothing is said of lengths, as it is.
    fn resolve_at(
        &self,
        problem: &Problem,
        configs: Vec<RunConfig>,
        factor: Option<f64>,
        data: &Data,
    ) -> Result<Resolved, Error> {
        let first = configs.first().ok_or_else(|| self.empty())?;
        let PartSizes { train, test, .. } = data.sizes();
        let samples = first.limited(train);
        let workload = Workload {
            name: match factor {
                Some(factor) => name_at(&problem.name, factor),
                None => problem.name.clone(),
            },
            dataset: first.dataset.name().to_owned(),
            model: first.model.name().to_owned(),
            measure: match (first.measure(data), problem.measure) {
                (None | Some(Judged::Error), chosen) => chosen.unwrap_or(Measure::Error),
                (Some(Judged::Perplexity | Judged::Loss), _) => Measure::Loss,
                (Some(Judged::SquaredError), _) => Measure::SquaredError,
            },
            target: problem.target,
            examples_per_step: (first.batch_size * first.dataset.window().max(1)) as u64,
            test_samples: Some(test as u64),
            data_warnings: Vec::new(),
            horizon: factor.map(|factor| Horizon {
                of: problem.name.clone(),
                factor,
            }),
        };
        let entries: Result<Vec<Entry>, ConfigError> = self
            .arms
            .iter()
            .zip(configs)
            .map(|(arm, config)| {
                Ok(Entry {
                    trials: self.trials(problem, arm, &config)?,
                    arm: arm.clone(),
                    config,
                })
            })
            .collect();
        Ok(Resolved {
            workload,
            entries: entries?,
            samples,
            fingerprint: None,
        })
    }

    /// What tuning tries of an arm on a problem; each of it makes a configuration.
    fn trials(
        &self,
        problem: &Problem,
        arm: &Arm,
        config: &RunConfig,
    ) -> Result<Vec<Values>, ConfigError> {
        let Some(tuning) = self.tuned(problem, arm) else {
            return Ok(Vec::new());
        };
        let own = arm.tables().rev();
        let listed = own
            .filter_map(|name| tuning.space.get_key_value(name))
            .next();
        let table = listed.map_or(&arm.name, |(name, _)| name);
        let path = format!("{}: tuning.space.{table}", self.origin);
        let fault = |origin: String, fault: String| ConfigError::Value { origin, fault };
        let space: Space = match listed {
            Some((_, space)) => space.clone(),
            None => default_space(&config.optimizer).ok_or_else(|| {
                fault(
                    path.clone(),
                    format!(
                        "is missing: workload {} has {} = 0, around which there is no space",
                        problem.name,
                        config.optimizer.knob()
                    ),
                )
            })?,
        };
        let known = numbers(&config.optimizer);
        if let Some(key) = space.keys().find(|key| !known.contains(key)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(ConfigError::UnknownKey {
                file: self.origin.clone(),
                key: format!("tuning.space.{table}.{key}"),
                hint: hint(key, &known),
            });
        }
        let all = trials(&space, tuning.sampler, tuning.trials, listed.is_some())
            .map_err(|text| fault(path.clone(), text))?;
        for values in &all {
            with_values(&config.optimizer, values)
                .map_err(|(key, text)| fault(format!("{path}.{key}"), text))?;
        }
        Ok(all)
    }

    /// How an arm is tuned on a problem, if it is.
    fn tuned(&self, problem: &Problem, arm: &Arm) -> Option<&TuningPlan> {
        let tuning = self.tuning.as_ref().filter(|_| problem.tuned)?;
        tuning.tunes(&arm.name).then_some(tuning)
    }

    /// There is nothing to compare.
    fn empty(&self) -> ConfigError {
        ConfigError::Value {
            origin: self.origin.clone(),
            fault: "there is nothing to compare: give at least one optimizer and one workload"
                .to_owned(),
        }
    }
}
