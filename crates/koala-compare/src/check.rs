//! What has to hold of names and lists in a suite's file.

use std::collections::BTreeSet;

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

pub(super) fn check_seeds(reader: &Reader, key: &str, seeds: &[u64]) -> Result<(), ConfigError> {
    if seeds.is_empty() {
        return Err(reader.fault(key, "must hold at least one seed"));
    }
    let mut met = BTreeSet::new();
    match seeds.iter().find(|seed| !met.insert(**seed)) {
        None => Ok(()),
        Some(seed) => Err(reader.fault(key, format!("{seed} is there twice"))),
    }
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
