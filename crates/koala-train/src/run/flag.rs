//! Where a value comes from: a flag, or a key of a file.

use toml::Value;

/// A value given from outside, by a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    pub(super) key: String,
    pub(super) value: Value,
}

impl Override {
    /// The value of a key such as `epochs` or `optimizer.gain`. Its flag is `--` and the last part of the key, or the
    /// table if the last part is `name`.
    pub fn new(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }

    /// The last value given for a key, if it is a text.
    pub fn last(overrides: &[Self], key: &str) -> Option<String> {
        let given = overrides.iter().rev().find(|over| over.key == key)?;
        given.value.as_str().map(str::to_owned)
    }

    /// The key, with its table.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The flag that stands for it.
    pub fn flag(&self) -> String {
        flag(&self.key)
    }
}

fn flag(key: &str) -> String {
    let name = key.strip_suffix(".name").unwrap_or(key);
    format!("--{}", name.rsplit('.').next().unwrap_or(name))
}

/// The flag, if the key came from one, else the file and the key.
pub(super) fn origin(key: &str, file: &str, overrides: &[Override]) -> String {
    if file.is_empty() || overrides.iter().any(|o| o.key == key) {
        flag(key)
    } else {
        format!("{file}: {key}")
    }
}
