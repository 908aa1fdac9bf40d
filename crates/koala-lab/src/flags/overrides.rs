//! What flags change of a configuration.

use koala_train::run::{Override, Value};

/// Overrides of a configuration, from the flags that were given.
#[derive(Default)]
pub struct Overrides {
    /// Those that were given.
    pub list: Vec<Override>,
}

impl Overrides {
    /// Adds one if it was given.
    pub fn put(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.list.push(Override::new(key, value));
        }
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.list.extend(others.list);
    }
}
