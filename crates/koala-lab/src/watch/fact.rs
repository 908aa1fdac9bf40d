//! A number with a name, and how it is written.

use koala_report::page::plain;

/// A number with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Its name, in words.
    pub name: String,
    /// Its value; NaN if it was not finite.
    pub value: f64,
    /// Its unit, if that is not plain from the name.
    pub unit: &'static str,
}

impl Fact {
    /// A number with a name.
    pub fn new(name: &str, value: f64) -> Self {
        Self {
            name: name.to_owned(),
            value,
            unit: "",
        }
    }

    /// A share in percent.
    pub fn percent(name: &str, value: f64) -> Self {
        Self {
            unit: " %",
            ..Self::new(name, value)
        }
    }

    /// A number with its name filled up, or cut, to a width.
    pub fn line(&self, width: usize) -> String {
        format!(
            "{:<width$.width$}  {}{}",
            self.name,
            number(self.value),
            self.unit
        )
    }

    /// A number with its name in a sentence.
    pub fn words(&self) -> String {
        format!("{} {}{}", self.name, number(self.value), self.unit)
    }
}

/// A number as people write it.
fn number(value: f64) -> String {
    if value.is_finite() {
        plain(value)
    } else {
        "not finite".to_owned()
    }
}
