//! Errors of the filter as Python's.

use koala_filter::Error;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::{PyErr, PyResult, create_exception};
use serde::Serialize;

create_exception!(
    koala_optim,
    TooManyMissing,
    PyRuntimeError,
    "Too many measurements in a row were missing: the run has most likely diverged."
);

/// Misuse and damage are values that are wrong; what depends on when is an error of running.
pub(crate) fn raised(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::TooManyMissing { .. } => TooManyMissing::new_err(text),
        Error::OutOfPhase { .. } | Error::EmptyObservation | Error::LossBelowTarget { .. } => {
            PyRuntimeError::new_err(text)
        }
        _ => PyValueError::new_err(text),
    }
}

/// A text that should have been JSON of a certain shape.
pub(crate) fn malformed(what: &str, error: &serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("{what}: {error}"))
}

/// A value as JSON.
pub(crate) fn written<T: Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| malformed("filter", &error))
}
