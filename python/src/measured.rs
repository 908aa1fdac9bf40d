//! The sums of an update, as they are given to it.

use koala_filter::BlockStatistics;
use pyo3::prelude::*;

use crate::numbers::Numbers;

/// The sums of an update that were taken here: nobody else looks at them one by one.
#[pyclass(name = "Measured", module = "koala_optim._native", frozen)]
pub(crate) struct Measured {
    /// One a parameter, `None` without a gradient.
    pub statistics: Vec<Option<BlockStatistics>>,
}

#[pymethods]
impl Measured {
    /// Whether all of them are finite.
    fn finite(&self) -> bool {
        self.statistics
            .iter()
            .flatten()
            .all(BlockStatistics::is_finite)
    }
}

/// Sums for an update: taken here, or of Python.
#[derive(FromPyObject)]
pub(crate) enum Given<'py> {
    Measured(Bound<'py, Measured>),
    Sums(Vec<Option<Numbers>>),
}
