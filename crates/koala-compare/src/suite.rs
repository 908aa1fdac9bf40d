//! What is to be compared, from a suite's file or from flags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use koala_report::Sampler;
use koala_train::device::DeviceName;
use koala_train::optimizers::OptimizerSpec;
use koala_train::recipe::Recipe;
use koala_train::run::{ConfigError, Override, hint};
use toml::{Table, Value};

use super::reader::Reader;
use super::space::{Range, Space};

/// The first seed of trials, unless it is reported.
const FIRST_TUNING_SEED: u64 = 1000;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Its name, which its folder has by default.
    pub name: String,
    /// How errors name it, such as `suite four.toml`.
    pub origin: String,
    /// The command that does it, for people who want to repeat it.
    pub source: String,
    /// Seeds that are reported.
    pub seeds: Vec<u64>,
    /// Names of the optimizers.
    pub optimizers: Vec<String>,
    /// The problems that each of them is given.
    pub problems: Vec<Problem>,
    /// How hyperparameters are tuned; nothing to run the defaults only.
    pub tuning: Option<TuningPlan>,
    /// Threads of each run; nothing to share the processors among runs that are at work at once.
    pub threads: Option<usize>,
}

/// A problem: a recipe, with what is laid over it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Its name in the suite.
    pub name: String,
    /// What it is.
    pub recipe: Recipe,
    /// What flags change of it.
    pub overrides: Vec<Override>,
    /// What has to be reached by the held-out samples: error in percent, or where there is none the loss.
    pub target: Option<f64>,
    /// Whether hyperparameters are tuned on it, if the suite tunes them.
    pub tuned: bool,
}

/// How hyperparameters are tuned.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningPlan {
    /// Trials of each optimizer on each problem.
    pub trials: usize,
    /// Where trials come from.
    pub sampler: Sampler,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// What is tried, by optimizer; those that are not here have a default.
    pub space: BTreeMap<String, Space>,
}

impl TuningPlan {
    /// Trials of the default spaces.
    pub fn of_defaults(trials: usize, reported: &[u64]) -> Self {
        Self {
            trials,
            sampler: Sampler::Halton,
            seeds: vec![fresh_seed(reported)],
            space: BTreeMap::new(),
        }
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

impl Suite {
    /// The suite in a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it cannot be read, or something in it is wrong; the message names the key.
    pub fn open(file: &Path) -> Result<Self, ConfigError> {
        let origin = format!("suite {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|cause| ConfigError::Unreadable {
            file: origin.clone(),
            cause,
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut suite = Self::parse(&text, &origin, folder)?;
        suite.source = format!("koala compare {}", file.display());
        Ok(suite)
    }

    /// As [`Suite::open`], from text; recipes of its own lie in `folder`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Suite::open`].
    pub fn parse(text: &str, origin: &str, folder: &Path) -> Result<Self, ConfigError> {
        let table = text
            .parse::<Table>()
            .map_err(|e: toml::de::Error| ConfigError::Syntax {
                file: origin.to_owned(),
                cause: e.to_string().trim().to_owned(),
            })?;
        let mut reader = Reader::new(origin, "", table);
        let name = reader.text("name")?;
        let seeds = reader.counts("seeds")?;
        let optimizers = reader.texts("optimizers")?;
        let options = reader.inner("options")?.unwrap_or_default();
        let device = reader.text("device")?;
        let threads = reader.count("threads")?;
        let workloads = reader.tables("workload")?;
        let tuning = reader.inner("tuning")?;
        // A key that is written wrong is missing under its name too: what it should be called helps more.
        reader.end()?;
        let name = reader.needed("name", name, "name = \"mine\"")?;
        check_name(&reader, "name", &name)?;
        let seeds = reader.needed("seeds", seeds, "seeds = [0, 1, 2]")?;
        check_seeds(&reader, "seeds", &seeds)?;
        let example = "optimizers = [\"koala-m\", \"adam\"]";
        let optimizers = reader.needed("optimizers", optimizers, example)?;
        check_optimizers(&reader, &optimizers)?;
        check_listed(origin, "options", options.keys(), &optimizers)?;
        if let Some(Err(error)) = device.as_deref().map(str::parse::<DeviceName>) {
            return Err(reader.fault("device", error.to_string()));
        }
        if threads.is_some_and(|threads| !(1..=4096).contains(&threads)) {
            return Err(reader.fault("threads", "must be between 1 and 4096"));
        }
        let workloads = reader.needed("workload", workloads, "[[workload]]")?;

        let mut problems: Vec<Problem> = Vec::with_capacity(workloads.len());
        for table in workloads {
            let problem = problem(table, origin, folder, &options, device.as_deref())?;
            if problems.iter().any(|other| other.name == problem.name) {
                return Err(ConfigError::Value {
                    origin: format!("{origin}: workload.name"),
                    fault: format!(
                        "'{}' is there twice: give each a name of its own",
                        problem.name
                    ),
                });
            }
            problems.push(problem);
        }
        let tuning = tuning.map(|table| read_tuning(table, origin, &optimizers, &seeds));
        Ok(Self {
            source: origin.to_owned(),
            origin: origin.to_owned(),
            tuning: tuning.transpose()?,
            threads: threads.map(|threads| threads as usize),
            name,
            seeds,
            optimizers,
            problems,
        })
    }
}

/// A `[[workload]]`.
fn problem(
    table: Table,
    origin: &str,
    folder: &Path,
    options: &Table,
    device: Option<&str>,
) -> Result<Problem, ConfigError> {
    let mut reader = Reader::new(origin, "workload", table);
    let name = reader.text("name")?;
    let recipe = reader.text("recipe")?;
    let mut set = reader.inner("set")?.unwrap_or_default();
    let target = reader.number("target")?;
    let tuned = reader.flag("tuning")?.unwrap_or(true);
    reader.end()?;
    let name = reader.needed("name", name, "name = \"digits\"")?;
    check_name(&reader, "name", &name)?;
    let of_workload = format!("{origin}: workload {name}");
    if let Some(recipe) = recipe {
        let recipe = match recipe.ends_with(".toml") {
            true => folder.join(recipe).to_string_lossy().into_owned(),
            false => recipe,
        };
        set.insert("extends".to_owned(), Value::String(recipe));
    }
    // The workload's own options for an optimizer win over the suite's, and these over the recipe's.
    if !options.is_empty() {
        let own = set
            .entry("optimizers")
            .or_insert_with(|| Value::Table(Table::new()));
        let Some(own) = own.as_table_mut() else {
            return Err(ConfigError::Value {
                origin: format!("{of_workload}: optimizers"),
                fault: "must be a table".to_owned(),
            });
        };
        for (optimizer, options) in options {
            let mut laid = options.clone();
            if let (Some(laid), Some(Value::Table(over))) =
                (laid.as_table_mut(), own.get(optimizer))
            {
                laid.extend(over.clone());
            }
            own.insert(optimizer.clone(), laid);
        }
    }
    let device = device.map(|device| Override::new("device", device));
    Ok(Problem {
        recipe: Recipe::of_suite(&name, of_workload, set)?,
        overrides: device.into_iter().collect(),
        name,
        target,
        tuned,
    })
}

/// `[tuning]`.
fn read_tuning(
    table: Table,
    origin: &str,
    optimizers: &[String],
    reported: &[u64],
) -> Result<TuningPlan, ConfigError> {
    let mut reader = Reader::new(origin, "tuning", table);
    let trials = reader.count("trials")?;
    let sampler = reader.text("sampler")?;
    let seeds = reader.counts("seeds")?;
    let spaces = reader.inner("space")?.unwrap_or_default();
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
    check_seeds(&reader, "seeds", &seeds)?;
    if let Some(seed) = seeds.iter().find(|seed| reported.contains(seed)) {
        let fault = format!(
            "{seed} is one of the reported seeds, for which hyperparameters would then have been chosen: give others"
        );
        return Err(reader.fault("seeds", fault));
    }
    check_listed(origin, "tuning.space", spaces.keys(), optimizers)?;
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
    })
}

/// Names become names of folders.
fn check_name(reader: &Reader, key: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(plain) {
        let fault = format!(
            "must be of letters, digits, '-', '_' and '.', and not begin with '.', not '{name}'"
        );
        return Err(reader.fault(key, fault));
    }
    Ok(())
}

fn check_seeds(reader: &Reader, key: &str, seeds: &[u64]) -> Result<(), ConfigError> {
    if seeds.is_empty() {
        return Err(reader.fault(key, "must hold at least one seed"));
    }
    let mut met = BTreeSet::new();
    match seeds.iter().find(|seed| !met.insert(**seed)) {
        None => Ok(()),
        Some(seed) => Err(reader.fault(key, format!("{seed} is there twice"))),
    }
}

fn check_optimizers(reader: &Reader, optimizers: &[String]) -> Result<(), ConfigError> {
    if optimizers.is_empty() {
        return Err(reader.fault("optimizers", "must hold at least one optimizer"));
    }
    let mut met = BTreeSet::new();
    for name in optimizers {
        if OptimizerSpec::named(name).is_none() {
            return Err(ConfigError::UnknownName {
                origin: reader.origin("optimizers"),
                group: "optimizer",
                name: name.clone(),
                hint: hint(name, &OptimizerSpec::NAMES),
            });
        }
        if !met.insert(name) {
            return Err(reader.fault("optimizers", format!("'{name}' is there twice")));
        }
    }
    Ok(())
}

/// Whether the tables' names are optimizers of the suite.
fn check_listed<'a>(
    origin: &str,
    table: &str,
    mut names: impl Iterator<Item = &'a String>,
    optimizers: &[String],
) -> Result<(), ConfigError> {
    let known: Vec<&str> = optimizers.iter().map(String::as_str).collect();
    match names.find(|name| !optimizers.contains(name)) {
        None => Ok(()),
        Some(name) => Err(ConfigError::UnknownKey {
            file: origin.to_owned(),
            key: format!("{table}.{name}"),
            hint: hint(name, &known),
        }),
    }
}
