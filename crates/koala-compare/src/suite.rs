//! What is to be compared, from a suite's file or from flags.

use std::collections::BTreeMap;
use std::path::Path;

use koala_system::read_text;
use koala_train::device::DeviceName;
use koala_train::run::{ConfigError, LARGEST_CONFIG, hint};
use toml::Table;

use super::arm::read_arms;
use super::check::{check_listed, check_name, check_seeds};
use super::embedded::{SUITES, suite_text};
use super::horizons::check_horizons;
use super::overlay::read_overlays;
use super::problem::{Common, Problem, read_measure, read_problem};
use super::reader::Reader;
use super::reference::check_reference;
use super::tuning::{TuningPlan, read_tuning};
use super::{Arm, Own};

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Its name, which its folder has by default.
    pub name: String,
    /// What it is, in a line.
    pub about: Option<String>,
    /// How errors name it, such as `suite four.toml`.
    pub origin: String,
    /// The command that does it, for people who want to repeat it.
    pub source: String,
    /// Seeds that are reported.
    pub seeds: Vec<u64>,
    /// What is compared.
    pub arms: Vec<Arm>,
    /// What is laid over each problem for an optimizer, by its name, and over that for an arm: schedule, average and lookahead.
    pub overlays: BTreeMap<String, Table>,
    /// The arm that the others are held against, or [`koala_report::BEST`]; nothing for none.
    pub reference: Option<String>,
    /// The problems that each of them is given.
    pub problems: Vec<Problem>,
    /// Lengths at which each problem is given, as multiples of its own; empty for its own alone.
    pub horizons: Vec<f64>,
    /// How hyperparameters are tuned; nothing to run the defaults only.
    pub tuning: Option<TuningPlan>,
    /// Threads of each run; nothing to share the processors among runs that are at work at once.
    pub threads: Option<usize>,
    /// What is your own of what it names.
    pub own: Own,
}

impl Suite {
    /// The embedded suite of this name; what has an extension or a folder before it is a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if there is none, or something in it is wrong.
    pub fn find(name: &Path) -> Result<Self, ConfigError> {
        let bare = name.components().count() == 1 && name.extension().is_none();
        let Some(word) = name
            .to_str()
            .filter(|word| bare && !word.contains(['/', '\\']))
        else {
            return Self::open(name);
        };
        let Some(text) = suite_text(word) else {
            let file = match name.is_file() {
                true => format!("; the file of that name is ./{word}"),
                false => String::new(),
            };
            return Err(ConfigError::UnknownName {
                origin: "koala compare".to_owned(),
                group: "suite",
                name: word.to_owned(),
                hint: hint(word, &SUITES) + &file,
            });
        };
        let mut suite = Self::parse(text, &format!("suite {word}"), Path::new(""))?;
        suite.source = format!("koala compare {word}");
        Ok(suite)
    }

    /// The suite in a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it cannot be read, or something in it is wrong; the message names the key.
    pub fn open(file: &Path) -> Result<Self, ConfigError> {
        Self::open_with(file, Own::new())
    }

    /// As [`Suite::open`], of a suite that names what is your own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Suite::open`], or if two of your own have one name.
    pub fn open_with(file: &Path, own: Own) -> Result<Self, ConfigError> {
        let origin = format!("suite {}", file.display());
        let text = read_text(file, LARGEST_CONFIG).map_err(|cause| ConfigError::Unreadable {
            file: origin.clone(),
            cause,
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut suite = Self::parse_with(&text, &origin, folder, own)?;
        suite.source = format!("koala compare {}", file.display());
        Ok(suite)
    }

    /// As [`Suite::open`], from text; recipes of its own lie in `folder`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Suite::open`].
    pub fn parse(text: &str, origin: &str, folder: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(text, origin, folder, Own::new())
    }

    /// As [`Suite::parse`], of a suite that names what is your own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Suite::open_with`].
    pub fn parse_with(
        text: &str,
        origin: &str,
        folder: &Path,
        own: Own,
    ) -> Result<Self, ConfigError> {
        own.check(origin)?;
        let table = text
            .parse::<Table>()
            .map_err(|e: toml::de::Error| ConfigError::Syntax {
                file: origin.to_owned(),
                cause: e.to_string().trim().to_owned(),
            })?;
        let mut reader = Reader::new(origin, "", table);
        let name = reader.text("name")?;
        let about = reader.text("about")?;
        let seeds = reader.counts("seeds")?;
        let optimizers = reader.texts("optimizers")?;
        let arms = reader.tables("arm")?;
        let options = reader.inner("options")?.unwrap_or_default();
        let overlays = reader.inner("optimizer")?.unwrap_or_default();
        let recipe_options = reader.flag("recipe-options")?.unwrap_or(true);
        let reference = reader.text("reference")?;
        let measure = reader.text("measure")?;
        let horizons = reader.numbers("horizons")?;
        let device = reader.text("device")?;
        let threads = reader.count("threads")?;
        let workloads = reader.tables("workload")?;
        let tuning = reader.inner("tuning")?;
        // A key that is written wrong is missing under its name too: what it should be called helps more.
        reader.end()?;
        let name = reader.needed("name", name, "name = \"mine\"")?;
        check_name(&reader, "name", &name)?;
        let seeds = reader.needed("seeds", seeds, "seeds = [0, 1, 2]")?;
        check_seeds(&reader.origin("seeds"), &seeds)?;
        let arms = read_arms(&reader, origin, optimizers, arms, &own)?;
        check_listed(origin, "options", options.keys(), &arms)?;
        if let Some(arm) = arms
            .iter()
            .find(|arm| arm.name != arm.optimizer && options.contains_key(&arm.name))
        {
            let fault = "options of an arm stand in its [[arm]], beside its name";
            return Err(reader.fault(&format!("options.{}", arm.name), fault));
        }
        let overlays = read_overlays(overlays, origin, &arms)?;
        if let Some(name) = &reference {
            check_reference(&reader.origin("reference"), name, &arms)?;
        }
        let measure = measure
            .map(|name| read_measure(&reader, &name))
            .transpose()?;
        if let Some(horizons) = &horizons {
            check_horizons(&reader.origin("horizons"), horizons, reference.as_deref())?;
        }
        if let Some(Err(error)) = device.as_deref().map(str::parse::<DeviceName>) {
            return Err(reader.fault("device", error.to_string()));
        }
        if threads.is_some_and(|threads| !(1..=4096).contains(&threads)) {
            return Err(reader.fault("threads", "must be between 1 and 4096"));
        }
        let workloads = reader.needed("workload", workloads, "[[workload]]")?;

        let common = Common {
            origin,
            folder,
            options: &options,
            arms: &arms,
            own: &own,
            device: device.as_deref(),
            recipe_options,
            measure,
        };
        let mut problems: Vec<Problem> = Vec::with_capacity(workloads.len());
        for table in workloads {
            let problem = read_problem(table, &common)?;
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
        let tuning = tuning.map(|table| read_tuning(table, origin, &arms, &seeds));
        Ok(Self {
            source: origin.to_owned(),
            origin: origin.to_owned(),
            tuning: tuning.transpose()?,
            threads: threads.map(|threads| threads as usize),
            name,
            about,
            seeds,
            arms,
            overlays,
            reference,
            problems,
            horizons: horizons.unwrap_or_default(),
            own,
        })
    }
}
