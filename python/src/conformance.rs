//! The made runs of `koala_filter::conformance` with what they must come to, so that an installed package can be checked on
//! any device.

use koala_filter::conformance::{Case, cases};
use koala_filter::{Config, Layout, StepReport};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Serialize;

use crate::error::{raised, written};

/// A run, as a dict. Vectors are the bytes of their `f32`s, in row-major order.
#[derive(IntoPyObject)]
pub(crate) struct MadeRun<'py> {
    /// JSON: name, configuration, layout.
    description: String,
    initial: Vec<Bound<'py, PyBytes>>,
    steps: Vec<MadeStep<'py>>,
}

#[derive(IntoPyObject)]
struct MadeStep<'py> {
    /// e before the groups' own: gain times schedule.
    gain: f64,
    gradients: Vec<Option<Bound<'py, PyBytes>>>,
    losses: Bound<'py, PyBytes>,
    predicted: Vec<Bound<'py, PyBytes>>,
    updated: Vec<Bound<'py, PyBytes>>,
    /// Where the model is to be evaluated after the step.
    evaluated: Vec<Bound<'py, PyBytes>>,
    /// JSON.
    report: String,
}

#[derive(Serialize)]
struct Description<'a> {
    name: &'a str,
    config: &'a Config,
    layout: &'a Layout,
}

/// The number of made runs.
#[pyfunction]
pub(crate) fn conformance_cases() -> usize {
    cases().len()
}

/// The made run of an index, with its reference.
#[pyfunction]
pub(crate) fn conformance_case(py: Python<'_>, index: usize) -> PyResult<MadeRun<'_>> {
    let case = cases()
        .into_iter()
        .nth(index)
        .ok_or_else(|| PyIndexError::new_err("there are not as many conformance cases"))?;
    let references = case.reference().map_err(raised)?;
    let options = case.config.options();
    let steps = case.steps.iter().zip(&references).enumerate();
    let steps = steps.map(|(at, (step, reference))| {
        Ok(MadeStep {
            gain: options.gain * options.schedule.factor(at as u64),
            gradients: step
                .gradients
                .iter()
                .map(|gradient| gradient.as_ref().map(|gradient| bytes(py, gradient)))
                .collect(),
            losses: bytes(py, &step.losses),
            predicted: all_bytes(py, &reference.predicted),
            updated: all_bytes(py, &reference.updated),
            evaluated: all_bytes(py, &reference.evaluated),
            report: written::<StepReport>(&reference.report)?,
        })
    });
    Ok(MadeRun {
        description: described(&case)?,
        initial: all_bytes(py, &case.initial),
        steps: steps.collect::<PyResult<_>>()?,
    })
}

fn described(case: &Case) -> PyResult<String> {
    written(&Description {
        name: &case.name,
        config: &case.config,
        layout: &case.layout,
    })
}

fn all_bytes<'py>(py: Python<'py>, vectors: &[Vec<f32>]) -> Vec<Bound<'py, PyBytes>> {
    vectors.iter().map(|vector| bytes(py, vector)).collect()
}

fn bytes<'py>(py: Python<'py>, vector: &[f32]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_ne_bytes()).collect();
    PyBytes::new(py, &bytes)
}
