//! What has to hold of names and lists in a suite's file.

use std::fmt::Display;

use koala_train::run::{ConfigError, hint};

use super::arm::{self, Arm};
use super::reader::Reader;

/// Names become names of folders.
pub(super) fn check_name(reader: &Reader, key: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(plain) {
        let fault = format!(
            "must be of letters, digits, '-', '_' and '.', and not begin with '.', not '{name}'"
        );
        return Err(reader.fault(key, fault));
    }
    Ok(())
}

/// Whether there are seeds that a run takes, each once: a second time would count the same run as another one.
pub(super) fn check_seeds(origin: &str, seeds: &[u64]) -> Result<(), ConfigError> {
    let fault = |fault: String| {
        Err(ConfigError::Value {
            origin: origin.to_owned(),
            fault,
        })
    };
    if seeds.is_empty() {
        return fault("must hold at least one seed".to_owned());
    }
    if let Some(seed) = seeds.iter().find(|seed| i64::try_from(**seed).is_err()) {
        return fault(format!("{seed} must be below 2^63"));
    }
    check_once(origin, seeds)
}

/// Whether nothing in a list is there twice.
pub(super) fn check_once<T: PartialEq + Display>(
    origin: &str,
    list: &[T],
) -> Result<(), ConfigError> {
    match repeated(list) {
        None => Ok(()),
        Some(one) => Err(ConfigError::Value {
            origin: origin.to_owned(),
            fault: format!("{one} is there twice: leave one out"),
        }),
    }
}

/// The first that was there before.
pub(super) fn repeated<T: PartialEq>(list: &[T]) -> Option<&T> {
    let mut places = list.iter().enumerate();
    places.find_map(|(at, one)| list[..at].contains(one).then_some(one))
}

/// Whether the tables' names are arms of the suite, or their optimizers.
pub(super) fn check_listed<'a>(
    origin: &str,
    table: &str,
    mut names: impl Iterator<Item = &'a String>,
    arms: &[Arm],
) -> Result<(), ConfigError> {
    let known = arm::tables(arms);
    match names.find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(ConfigError::UnknownKey {
            file: origin.to_owned(),
            key: format!("{table}.{name}"),
            hint: hint(name, &known),
        }),
    }
}
