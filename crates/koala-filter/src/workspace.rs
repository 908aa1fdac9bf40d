//! What an update works on: memory that is kept for the next one. Taken anew, it costs more than what is done with it where there
//! are many small tensors.

use crate::innovation::Innovation;
use crate::plan::TensorStep;
use crate::statistics::BlockStatistics;

/// What goes into an update and comes out of it, and what it needs in between.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The sums, one a parameter, in the layout's order; `None` where there is no gradient. An update works on them.
    pub statistics: Vec<Option<BlockStatistics>>,
    /// The steps of the update, one a parameter.
    pub steps: Vec<TensorStep>,
    pub(crate) between: Between,
}

impl Workspace {
    /// For an update of these statistics.
    pub fn of(statistics: Vec<Option<BlockStatistics>>) -> Self {
        Self {
            statistics,
            ..Self::default()
        }
    }
}

/// What an update needs in between.
#[derive(Debug, Default)]
pub(crate) struct Between {
    /// One a block, where blocks have their own.
    pub innovations: Vec<Option<Innovation>>,
    /// |dx_t|^2 of each tensor, before the update is shortened.
    pub squares: Vec<f64>,
}

/// A copy begins without: nothing of an update is in it.
impl Clone for Workspace {
    fn clone(&self) -> Self {
        Self::default()
    }
}
