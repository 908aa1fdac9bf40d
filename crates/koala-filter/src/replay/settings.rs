//! The header's metadata: which optimizer, how many steps, which type of number.

use std::collections::HashMap;

use super::error::{Fault, quoted};
use super::hyperparameters;
use crate::Config;

/// The type of a recording's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `f32`.
    Single,
    /// `f64`.
    Double,
}

impl Precision {
    /// The largest relative difference that is rounding.
    pub fn tolerance(self) -> f64 {
        match self {
            Self::Single => 2e-6,
            Self::Double => 1e-12,
        }
    }

    /// `f32` or `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "f32",
            Self::Double => "f64",
        }
    }
}

/// What a recording's metadata say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The optimizer with its hyperparameters.
    pub config: Config,
    /// K, the number of recorded steps.
    pub steps: usize,
    /// The type of parameters and gradients.
    pub precision: Precision,
}

impl Settings {
    /// Reads the metadata of a header.
    pub(super) fn from_metadata(metadata: &HashMap<String, String>) -> Result<Self, Fault> {
        let field = |field: &'static str| {
            metadata
                .get(field)
                .map(String::as_str)
                .ok_or(Fault::MissingField { field })
        };
        let optimizer = field("optimizer")?;
        let precision = match field("dtype")? {
            "float32" | "f32" => Precision::Single,
            "float64" | "f64" => Precision::Double,
            other => return Err(Fault::field("dtype", quoted(other), "float32 or float64")),
        };
        let steps = field("steps")?;
        let steps = match steps.parse() {
            Ok(count) if count > 0 => count,
            _ => {
                return Err(Fault::field(
                    "steps",
                    quoted(steps),
                    "a number of steps, at least 1",
                ));
            }
        };
        let config = hyperparameters::config(
            optimizer,
            field("weight_decay_rule")?,
            field("hyperparameters")?,
        )?;
        Ok(Self {
            config,
            steps,
            precision,
        })
    }
}
