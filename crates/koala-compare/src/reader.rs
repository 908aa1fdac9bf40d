//! A table of a suite's file, read key by key: what is of the wrong kind is named, and so is what nobody asked for.

use koala_train::run::{ConfigError, hint};
use toml::{Table, Value};

/// A table whose keys are taken out one after another.
#[derive(Debug)]
pub(super) struct Reader {
    /// How errors name the file.
    file: String,
    /// Where the table stands in it; empty for the whole.
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

impl Reader {
    pub(super) fn new(file: &str, path: &str, table: Table) -> Self {
        Self {
            file: file.to_owned(),
            path: path.to_owned(),
            table,
            known: Vec::new(),
        }
    }

    /// A key with its tables.
    fn full(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// How errors name a key.
    pub(super) fn origin(&self, key: &str) -> String {
        format!("{}: {}", self.file, self.full(key))
    }

    /// Something is wrong with the value of a key.
    pub(super) fn fault(&self, key: &str, fault: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            origin: self.origin(key),
            fault: fault.into(),
        }
    }

    /// The value of a key that has to be there.
    pub(super) fn needed<T>(
        &self,
        key: &str,
        value: Option<T>,
        example: &str,
    ) -> Result<T, ConfigError> {
        value.ok_or_else(|| self.fault(key, format!("is missing: give one, such as {example}")))
    }

    /// The value of a key as `read` understands it; nothing if it is not there.
    fn take<T>(
        &mut self,
        key: &'static str,
        kind: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.known.push(key);
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(value) => Ok(Some(value)),
                None => Err(self.fault(key, format!("must be {kind}, not {value}"))),
            },
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.take(key, "a text", |v| v.as_str().map(str::to_owned))
    }

    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        self.take(key, "a finite number", number)
    }

    pub(super) fn numbers(&mut self, key: &'static str) -> Result<Option<Vec<f64>>, ConfigError> {
        self.take(key, "a list of finite numbers", |v| {
            v.as_array()?.iter().map(number).collect()
        })
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        self.take(key, "true or false", Value::as_bool)
    }

    pub(super) fn count(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        self.take(key, "a whole number, not negative", count)
    }

    pub(super) fn counts(&mut self, key: &'static str) -> Result<Option<Vec<u64>>, ConfigError> {
        let kind = "a list of whole numbers, not negative";
        self.take(key, kind, |v| v.as_array()?.iter().map(count).collect())
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, ConfigError> {
        let text = |v: &Value| v.as_str().map(str::to_owned);
        self.take(key, "a list of texts", |v| {
            v.as_array()?.iter().map(text).collect()
        })
    }

    pub(super) fn inner(&mut self, key: &'static str) -> Result<Option<Table>, ConfigError> {
        self.take(key, "a table", |v| v.as_table().cloned())
    }

    pub(super) fn tables(&mut self, key: &'static str) -> Result<Option<Vec<Table>>, ConfigError> {
        let table = |v: &Value| v.as_table().cloned();
        self.take(key, "tables in double brackets", |v| {
            v.as_array()?.iter().map(table).collect()
        })
    }

    /// All that nobody asked for yet, for tables whose other keys are someone else's.
    pub(super) fn rest(&mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    /// Whether nothing is left that nobody asked for.
    pub(super) fn end(&self) -> Result<(), ConfigError> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => Err(ConfigError::UnknownKey {
                key: self.full(key),
                hint: hint(key, &self.known),
                file: self.file.clone(),
            }),
        }
    }
}

/// A number, whole or not, that is finite.
pub(super) fn number(value: &Value) -> Option<f64> {
    let whole = value.as_integer().map(|whole| whole as f64);
    value.as_float().or(whole).filter(|n| n.is_finite())
}

fn count(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|whole| whole.try_into().ok())
}
