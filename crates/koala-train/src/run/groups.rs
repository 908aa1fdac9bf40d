//! The tables of a configuration whose `name` decides which keys they have: the names chosen for them, and their defaults.

use koala_data::{DataKind, DatasetName};
use toml::{Table, Value};

use super::config_error::hint;
use super::flag::origin;
use super::overlay::wrong_kind;
use super::{ConfigError, DatasetSpec, ModelSpec, Override, RunConfig};
use crate::optimizers::OptimizerSpec;
use crate::training::{AverageSpec, ScheduleSpec};

/// The tables whose `name` decides which keys they have.
const GROUPS: [&str; 5] = ["dataset", "model", "optimizer", "schedule", "average"];

/// The distance between losses and KOALA's target in adversarial training by default, the paper's.
const ADVERSARIES_OFFSET: f64 = 4.0;

/// The defaults for the names that are chosen; leaves in `given` only what belongs to these.
pub(super) fn defaults(
    given: &mut Table,
    file: &str,
    overrides: &[Override],
) -> Result<RunConfig, ConfigError> {
    let mut names = Vec::with_capacity(GROUPS.len());
    for group in GROUPS {
        let default = default_name(group, &names);
        names.push(choose(given, file, overrides, group, default)?);
    }
    match (
        DatasetSpec::named(&names[0]),
        ModelSpec::named(&names[1]),
        OptimizerSpec::named(&names[2]),
        ScheduleSpec::named(&names[3]),
        AverageSpec::named(&names[4]),
    ) {
        (Some(dataset), Some(model), Some(mut optimizer), Some(schedule), Some(average)) => {
            if matches!(model, ModelSpec::Dcgan(_)) {
                optimizer.follow_losses(ADVERSARIES_OFFSET);
            }
            Ok(RunConfig::with_defaults(
                dataset, model, optimizer, schedule, average,
            ))
        }
        // `choose` has checked the names.
        _ => Err(ConfigError::Value {
            origin: origin("", file, &[]),
            fault: "unknown name".to_owned(),
        }),
    }
}

/// The name that a group has by default; the groups before it are chosen by then.
fn default_name(group: &str, chosen: &[String]) -> &'static str {
    match group {
        "dataset" => "digits",
        "model" => match chosen.first().and_then(|name| DatasetName::named(name)) {
            Some(dataset) if dataset.kind() == DataKind::Text => "lstm",
            Some(DatasetName::Images | DatasetName::Idx) => "cnn",
            _ => "mlp",
        },
        "optimizer" => default_optimizer(chosen.get(1).map_or("", String::as_str)),
        "schedule" => "constant",
        _ => "none",
    }
}

/// The optimizer that a network is trained by unless told otherwise: that which needs no tuning; adversaries by that of the paper,
/// since of the other it is not known.
pub(crate) fn default_optimizer(model: &str) -> &'static str {
    if ModelSpec::named(model).is_some_and(|model| matches!(model, ModelSpec::Dcgan(_))) {
        "koala-m"
    } else {
        "koala-a"
    }
}

/// The name chosen for a group; leaves in `given` only what belongs to it.
fn choose(
    given: &mut Table,
    file: &str,
    overrides: &[Override],
    group: &'static str,
    default: &str,
) -> Result<String, ConfigError> {
    let key = format!("{group}.name");
    let from_flag = Override::last(overrides, &key);
    let from_file = match given.get(group) {
        None => None,
        Some(Value::Table(table)) => match table.get("name") {
            None => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => return Err(wrong_kind(&key, file, "a text", other)),
        },
        Some(other) => return Err(wrong_kind(group, file, "a table", other)),
    };
    let (name, origin) = match (from_flag, &from_file) {
        (Some(flag), file_name) => {
            if file_name.as_ref() != Some(&flag) {
                given.remove(group);
            }
            (flag, format!("--{group}"))
        }
        (None, Some(name)) => (name.clone(), file.to_owned()),
        (None, None) => (default.to_owned(), String::new()),
    };
    let known: &[&str] = match group {
        "dataset" => &DatasetName::ALL.map(|d| d.name()),
        "model" => &ModelSpec::NAMES,
        "optimizer" => &OptimizerSpec::NAMES,
        "schedule" => &ScheduleSpec::NAMES,
        _ => &AverageSpec::NAMES,
    };
    if known.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(ConfigError::UnknownName {
            hint: hint(&name, known),
            origin,
            group,
            name,
        })
    }
}
