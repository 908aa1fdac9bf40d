//! A problem that every optimizer is given.

use std::collections::BTreeMap;
use std::path::Path;

use koala_report::Measure;
use koala_train::own::{OwnData, OwnModel};
use koala_train::recipe::Recipe;
use koala_train::run::{ConfigError, Override};
use toml::{Table, Value};

use super::check::check_name;
use super::reader::Reader;
use super::{Arm, Own};

/// A problem: a recipe, with what is laid over it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Its name in the suite.
    pub name: String,
    /// What it is.
    pub recipe: Recipe,
    /// Its data, in place of the recipe's, if they are your own.
    pub data: Option<OwnData>,
    /// Its network, in place of the recipe's, if it is your own.
    pub model: Option<OwnModel>,
    /// Options of arms on it alone, by their names, and of optimizers of your own; those of the others are in the recipe.
    pub options: BTreeMap<String, Table>,
    /// What flags change of it.
    pub overrides: Vec<Override>,
    /// What has to be reached by the held-out samples: in its measure.
    pub target: Option<f64>,
    /// What it is judged by; nothing for the error of what has one, and else the loss.
    pub measure: Option<Measure>,
    /// Whether hyperparameters are tuned on it, if the suite tunes them.
    pub tuned: bool,
}

impl Problem {
    /// Whether results on both are judged, and hyperparameters chosen, in the same way.
    pub(super) fn is_judged_as(&self, other: &Self) -> bool {
        (self.measure, self.target, self.tuned) == (other.measure, other.target, other.tuned)
    }
}

/// What the whole suite says of each of its problems.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'a> {
    /// How errors name the suite.
    pub(super) origin: &'a str,
    /// Where recipes of its own lie.
    pub(super) folder: &'a Path,
    /// What is compared.
    pub(super) arms: &'a [Arm],
    /// What is your own.
    pub(super) own: &'a Own,
    /// Options of optimizers.
    pub(super) options: &'a Table,
    pub(super) device: Option<&'a str>,
    /// Whether what recipes say of optimizers counts.
    pub(super) recipe_options: bool,
    /// What is judged where the problem does not say.
    pub(super) measure: Option<Measure>,
}

/// A `[[workload]]`.
pub(super) fn read_problem(table: Table, common: &Common) -> Result<Problem, ConfigError> {
    let Common {
        origin,
        folder,
        arms,
        own: yours,
        options,
        device,
        recipe_options,
        measure,
    } = *common;
    let mut reader = Reader::new(origin, "workload", table);
    let name = reader.text("name")?;
    let recipe = reader.text("recipe")?;
    let mut set = reader.inner("set")?.unwrap_or_default();
    let target = reader.number("target")?;
    let tuned = reader.flag("tuning")?.unwrap_or(true);
    let own = reader.text("measure")?;
    reader.end()?;
    let name = reader.needed("name", name, "name = \"digits\"")?;
    check_name(&reader, "name", &name)?;
    let own = own.map(|own| read_measure(&reader, &own)).transpose()?;
    let of_workload = format!("{origin}: workload {name}");
    let (data, model) = yours.take(&mut set, &of_workload)?;
    if let Some(recipe) = recipe {
        let recipe = match recipe.ends_with(".toml") {
            true => folder.join(recipe).to_string_lossy().into_owned(),
            false => recipe,
        };
        set.insert("extends".to_owned(), Value::String(recipe));
    }
    let mut of_arms = BTreeMap::new();
    if let Some(Value::Table(own)) = set.get_mut("optimizers") {
        let named = arms.iter().filter(|arm| arm.name != arm.optimizer);
        let named = named.map(|arm| arm.name.as_str());
        for name in named.chain(yours.optimizer_names()) {
            match own.remove(name) {
                Some(Value::Table(options)) => {
                    of_arms.insert(name.to_owned(), options);
                }
                Some(other) => {
                    return Err(ConfigError::Value {
                        origin: format!("{of_workload}: optimizers.{name}"),
                        fault: format!("must be a table, not {other}"),
                    });
                }
                None => {}
            }
        }
    }
    // The workload's own options for an optimizer win over the suite's, and these over the recipe's.
    for (name, told) in options {
        if yours.optimizer_called(name).is_none() {
            continue;
        }
        let Value::Table(told) = told else {
            return Err(ConfigError::Value {
                origin: format!("{origin}: options.{name}"),
                fault: format!("must be a table, not {told}"),
            });
        };
        let laid = of_arms.entry(name.clone()).or_default();
        let over = std::mem::replace(laid, told.clone());
        laid.extend(over);
    }
    let of_others = |name: &&String| yours.optimizer_called(name).is_none();
    if options.keys().any(|name| of_others(&name)) {
        let own = set
            .entry("optimizers")
            .or_insert_with(|| Value::Table(Table::new()));
        let Some(own) = own.as_table_mut() else {
            return Err(ConfigError::Value {
                origin: format!("{of_workload}: optimizers"),
                fault: "must be a table".to_owned(),
            });
        };
        for (optimizer, options) in options.iter().filter(|(name, _)| of_others(name)) {
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
    let read = match recipe_options {
        true => Recipe::of_suite,
        false => Recipe::of_suite_by_task,
    };
    Ok(Problem {
        recipe: read(&name, of_workload, set)?,
        data,
        model,
        options: of_arms,
        overrides: device.into_iter().collect(),
        name,
        target,
        measure: own.or(measure),
        tuned,
    })
}

/// What `measure` says.
pub(super) fn read_measure(reader: &Reader, name: &str) -> Result<Measure, ConfigError> {
    match name {
        "error" => Ok(Measure::Error),
        "loss" => Ok(Measure::Loss),
        other => {
            let fault = format!("must be 'error' or 'loss', not '{other}'");
            Err(reader.fault("measure", fault))
        }
    }
}
