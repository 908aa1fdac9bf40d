//! What a checkpoint belongs to: the configuration and the data that its numbers come of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::RunConfig;

/// Keys of a configuration that may change while a run is stopped: how long it is, how it is looked at and kept, and where its data
/// and first weights lie, since what these hold is known.
pub(super) const FREE: [&str; 14] = [
    "checkpoint-every",
    "checkpoint-minutes",
    "dataset.data-dir",
    "dataset.file",
    "epochs",
    "evaluate-every",
    "init-weights",
    "keep-checkpoints",
    "log-every",
    "max-steps",
    "missing-limit",
    "patience",
    "tensorboard",
    "test",
];

/// What a checkpoint belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bound {
    /// Of the program that made the checkpoint: another one may have other keys.
    version: String,
    /// The deciding part of the configuration, by key: `optimizer.gain`.
    config: BTreeMap<String, String>,
    /// The SHA-256 of all samples; nothing if they were not asked for.
    data: Option<String>,
}

/// What is another one than when the checkpoint was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// A key of the configuration, what it was and what it is.
    Key {
        key: String,
        was: String,
        is: String,
    },
    /// The data.
    Data,
}

impl Bound {
    #[cfg(test)]
    pub(super) fn new(config: BTreeMap<String, String>, data: Option<String>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            version,
            config,
            data,
        }
    }

    /// Of a run on data of this SHA-256.
    pub(super) fn of(config: &RunConfig, data: &str) -> Self {
        let mut keys = BTreeMap::new();
        // Cannot fail, as in `RunConfig::to_toml`.
        flatten("", &Table::try_from(config).unwrap_or_default(), &mut keys);
        keys.retain(|key, _| !FREE.contains(&key.as_str()));
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: keys,
            data: Some(data.to_owned()),
        }
    }

    /// The first difference, if `self` was when the checkpoint was made and `now` is asked for.
    pub(super) fn mismatch(&self, now: &Self) -> Option<Mismatch> {
        let value = |config: &BTreeMap<String, String>, key: &String| {
            config
                .get(key)
                .map_or("not there", String::as_str)
                .to_owned()
        };
        // A key that another version of the program did not have has its default.
        let same = self.version == now.version;
        let known = |key: &&String| {
            same || (self.config.contains_key(*key) && now.config.contains_key(*key))
        };
        let named = ["dataset.name", "model.name", "optimizer.name"].map(str::to_owned);
        let keys: BTreeSet<&String> = self.config.keys().chain(now.config.keys()).collect();
        for key in named.iter().chain(keys.into_iter().filter(known)) {
            let (was, is) = (value(&self.config, key), value(&now.config, key));
            if was != is {
                let key = key.clone();
                return Some(Mismatch::Key { key, was, is });
            }
        }
        let other = |was: &String| now.data.as_ref().is_some_and(|is| is != was);
        self.data
            .as_ref()
            .filter(|was| other(was))
            .map(|_| Mismatch::Data)
    }
}

fn flatten(prefix: &str, table: &Table, keys: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => flatten(&format!("{prefix}{name}."), inner, keys),
            other => {
                keys.insert(format!("{prefix}{name}"), other.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Override;

    fn of(over: &[Override]) -> Bound {
        Bound::of(&RunConfig::resolve(None, over).unwrap(), "ab")
    }

    #[test]
    fn every_key_decides_but_those_that_may_change() {
        let config = RunConfig::resolve(None, &[]).unwrap();
        let mut keys = BTreeMap::new();
        flatten("", &Table::try_from(&config).unwrap(), &mut keys);
        assert!(keys.len() > 20, "{keys:?}");
        let bound = of(&[]);
        for key in keys.keys() {
            let free = FREE.contains(&key.as_str());
            assert_eq!(bound.config.contains_key(key), !free, "{key}");
            let mut other = bound.clone();
            if let Some(value) = other.config.get_mut(key) {
                value.push('0');
                let found = bound.mismatch(&other);
                assert!(matches!(found, Some(Mismatch::Key { key: told, .. }) if told == *key));
            }
        }
    }

    #[test]
    fn what_differs_is_named() {
        let text = |value: &str| value.to_owned();
        let key = |key: &str, was: &str, is: &str| {
            let (key, was, is) = (text(key), text(was), text(is));
            Some(Mismatch::Key { key, was, is })
        };
        assert_eq!(
            of(&[]).mismatch(&of(&[Override::new("seed", 1)])),
            key("seed", "0", "1")
        );
        let other = of(&[Override::new("optimizer.name", "sgd")]);
        assert_eq!(
            of(&[]).mismatch(&other),
            key("optimizer.name", "\"koala-a\"", "\"sgd\"")
        );
        assert_eq!(of(&[]).mismatch(&of(&[Override::new("epochs", 7)])), None);
        let norm = of(&[Override::new("optimizer.max-update-norm", 1.0)]);
        let found = of(&[]).mismatch(&norm);
        assert_eq!(found, key("optimizer.max-update-norm", "inf", "1.0"));
        // One that was not there before: another version of the program may not have had it.
        let mut before = of(&[]);
        before.config.remove("seed");
        assert_eq!(before.mismatch(&of(&[])), key("seed", "not there", "0"));
        before.version = text("0.0.9");
        assert_eq!(before.mismatch(&of(&[])), None);
        let mut data = of(&[]);
        data.data = Some(text("cd"));
        assert_eq!(of(&[]).mismatch(&data), Some(Mismatch::Data));
    }
}
