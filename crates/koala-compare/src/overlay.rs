//! What a suite says of an optimizer, or of an arm, beside its options: schedule, average and lookahead, on all workloads.

use std::collections::BTreeMap;

use koala_train::run::{ConfigError, hint};
use toml::{Table, Value};

use super::arm::Arm;
use super::check::check_listed;

/// What belongs to an optimizer. Data, network, batch and length are the same for all.
pub(super) const KEYS: [&str; 3] = ["schedule", "average", "lookahead"];

/// `[optimizer.NAME]`.
pub(super) fn read_overlays(
    table: Table,
    origin: &str,
    arms: &[Arm],
) -> Result<BTreeMap<String, Table>, ConfigError> {
    check_listed(origin, "optimizer", table.keys(), arms)?;
    let mut overlays = BTreeMap::new();
    for (optimizer, value) in table {
        let Value::Table(over) = value else {
            return Err(ConfigError::Value {
                origin: format!("{origin}: optimizer.{optimizer}"),
                fault: format!(
                    "must be a table, such as {{ schedule.name = \"cosine\" }}, not {value}"
                ),
            });
        };
        if let Some(key) = over.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ConfigError::UnknownKey {
                file: origin.to_owned(),
                hint: format!(
                    "{}; its options belong to [options.{optimizer}], and the task is the same for all",
                    hint(key, &KEYS).trim_end_matches('?')
                ),
                key: format!("optimizer.{optimizer}.{key}"),
            });
        }
        overlays.insert(optimizer, over);
    }
    Ok(overlays)
}
