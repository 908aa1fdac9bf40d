//! Why a recording cannot be replayed.

use std::path::{Path, PathBuf};

use safetensors::SafeTensorError;

/// A recording that cannot be replayed: which file, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", file.display())]
pub struct ReplayError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: Fault,
}

/// What can be wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),

    /// The file is too large for a recording.
    #[error("is larger than {limit} bytes: not a recorded trajectory")]
    TooLarge {
        /// Largest size that is read.
        limit: u64,
    },

    /// The file is not safetensors, or a damaged one.
    #[error("not a whole safetensors file: {source}{}", at(tensor.as_deref()))]
    Damaged {
        /// What the format's reader found.
        #[source]
        source: SafeTensorError,
        /// The tensor whose description is wrong, where it can be told.
        tensor: Option<String>,
    },

    /// A field is not in the header's metadata.
    #[error("metadata '{field}' is missing")]
    MissingField {
        /// Name of the field.
        field: &'static str,
    },

    /// A field of the header's metadata, or a hyperparameter in it, holds what it may not hold.
    #[error("metadata '{field}' = {value}: must be {requirement}")]
    InvalidField {
        /// Name of the field, such as `steps` or `hyperparameters.q`.
        field: String,
        /// What was found.
        value: String,
        /// What it may hold.
        requirement: String,
    },

    /// A tensor that must be there is not.
    #[error("tensor '{tensor}' is missing")]
    MissingTensor {
        /// Its name.
        tensor: String,
    },

    /// A tensor that belongs to no parameter or to no step.
    #[error("tensor '{tensor}' is not expected: {reason}")]
    UnexpectedTensor {
        /// Its name.
        tensor: String,
        /// Why.
        reason: String,
    },

    /// A tensor of another shape.
    #[error("tensor '{tensor}' has shape {found:?}; expected {expected:?}")]
    Shape {
        /// Its name.
        tensor: String,
        /// The shape expected.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },

    /// A tensor of another element type.
    #[error("tensor '{tensor}' has element type {found}; expected {expected}")]
    ElementType {
        /// Its name.
        tensor: String,
        /// The type expected.
        expected: &'static str,
        /// The type found.
        found: String,
    },

    /// A recorded number that cannot be one of a recording's.
    #[error("tensor '{tensor}' holds {value} in step {step}: must be {requirement}")]
    Value {
        /// Name of the tensor.
        tensor: String,
        /// The step, from 1 (0 is the start).
        step: usize,
        /// The number found.
        value: f64,
        /// What it may be.
        requirement: &'static str,
    },

    /// The optimizer refused a step.
    #[error("step {step}: {source}")]
    Step {
        /// The step, from 1.
        step: usize,
        /// Why.
        #[source]
        source: crate::Error,
    },
}

impl Fault {
    /// The error of `file`.
    pub(super) fn of(self, file: &Path) -> ReplayError {
        ReplayError {
            file: file.to_owned(),
            fault: self,
        }
    }

    pub(super) fn field(
        field: impl Into<String>,
        value: impl std::fmt::Display,
        requirement: impl Into<String>,
    ) -> Self {
        Self::InvalidField {
            field: field.into(),
            value: value.to_string(),
            requirement: requirement.into(),
        }
    }
}

/// A text as an error shows it.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn at(tensor: Option<&str>) -> String {
    tensor.map_or_else(String::new, |tensor| format!(" (tensor '{tensor}')"))
}
