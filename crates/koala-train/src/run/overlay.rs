//! Laying values over defaults: a key must be there already, and its value of the same kind.

use toml::{Table, Value};

use super::config_error::hint;
use super::{ConfigError, DatasetSpec, Override};
use crate::optimizers::OptimizerSpec;

/// The lists of texts; all others are of whole numbers.
const LISTS_OF_TEXTS: [&str; 3] = ["dataset.numbers", "dataset.categories", "dataset.ignore"];

/// Lays what a file gives over the defaults.
pub(super) fn merge(
    base: &mut Table,
    given: Table,
    path: &str,
    file: &str,
) -> Result<(), ConfigError> {
    for (key, value) in given {
        let full = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match (base.get_mut(&key), value) {
            (None, _) => {
                return Err(ConfigError::UnknownKey {
                    file: file.to_owned(),
                    hint: match elsewhere(path, &key, &format!("'{key}'")) {
                        Some(elsewhere) => elsewhere,
                        None => hint(&key, &base.keys().map(String::as_str).collect::<Vec<_>>()),
                    },
                    key: full,
                });
            }
            (Some(Value::Table(inner)), Value::Table(given)) => merge(inner, given, &full, file)?,
            (Some(slot), value) => match fitted(&full, slot, &value) {
                Some(value) => *slot = value,
                None => return Err(wrong_kind(&full, file, kind(&full, slot), &value)),
            },
        }
    }
    Ok(())
}

/// Lays a flag over the rest.
pub(super) fn apply(table: &mut Table, over: &Override) -> Result<(), ConfigError> {
    let (group, key) = over.key.split_once('.').unwrap_or(("", &over.key));
    let inner = match group {
        "" => Some(&mut *table),
        _ => table.get_mut(group).and_then(Value::as_table_mut),
    };
    let not_known = |known: Option<&Table>| ConfigError::FlagDoesNotApply {
        flag: over.flag(),
        group: group.to_owned(),
        chosen: known
            .and_then(|t| t.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        hint: match known.map(|t| {
            t.keys()
                .filter(|k| *k != "name")
                .map(|k| format!("--{k}"))
                .collect::<Vec<_>>()
        }) {
            Some(flags) if !flags.is_empty() => format!("; its options are {}", flags.join(", ")),
            _ => ", which has no options".to_owned(),
        } + &elsewhere(group, key, &over.flag()).unwrap_or_default(),
    };
    let Some(inner) = inner else {
        return Err(not_known(None));
    };
    match inner.get_mut(key) {
        None => Err(not_known(Some(inner))),
        Some(slot) => match fitted(&over.key, slot, &over.value) {
            Some(value) => {
                *slot = value;
                Ok(())
            }
            None => Err(ConfigError::Value {
                origin: over.flag(),
                fault: format!("must be {}, not {}", kind(&over.key, slot), over.value),
            }),
        },
    }
}

/// `; --label belongs to --dataset table`, as `shown` names the option; nothing if no data set, or no optimizer, has it.
fn elsewhere(group: &str, key: &str, shown: &str) -> Option<String> {
    let having = match group {
        "dataset" => DatasetSpec::having(key),
        "optimizer" => OptimizerSpec::having(key),
        _ => return None,
    };
    let whose = match having.as_slice() {
        [] => return None,
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    Some(format!("; {shown} belongs to --{group} {whose}"))
}

/// The value if it is of the same kind as the one it replaces; whole numbers do where fractions may stand.
fn fitted(key: &str, slot: &Value, value: &Value) -> Option<Value> {
    let belongs = |value: &Value| match LISTS_OF_TEXTS.contains(&key) {
        true => value.is_str(),
        false => value.as_integer().is_some_and(|whole| whole >= 0),
    };
    match (slot, value) {
        (Value::Float(_), Value::Integer(whole)) => Some(Value::Float(*whole as f64)),
        (Value::Integer(_), Value::Integer(whole)) if *whole < 0 => None,
        // A list of one and its element stand for each other.
        (Value::Integer(_), Value::Array(values)) => match values.as_slice() {
            [one] => fitted(key, slot, one),
            _ => None,
        },
        (Value::Array(_), Value::Array(values)) => {
            values.iter().all(belongs).then(|| value.clone())
        }
        (Value::Array(_), one) if belongs(one) => Some(Value::Array(vec![one.clone()])),
        _ => slot.same_type(value).then(|| value.clone()),
    }
}

fn kind(key: &str, value: &Value) -> &'static str {
    match value {
        Value::Array(_) if LISTS_OF_TEXTS.contains(&key) => "a list of texts",
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number, not negative",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of whole numbers, not negative",
        Value::Datetime(_) => "a date",
        Value::Table(_) => "a table",
    }
}

pub(super) fn wrong_kind(key: &str, file: &str, expected: &str, found: &Value) -> ConfigError {
    ConfigError::Value {
        origin: format!("{file}: {key}"),
        fault: format!("must be {expected}, not {found}"),
    }
}
