//! The same task for several optimizers: same seeds, same initial weights, same batches.

mod comparison;
mod report;
mod row;
mod target;

pub use comparison::{CompareObserver, Comparison, RunPosition, compare};
pub use report::Report;
pub use row::{Mean, Row, SeedResult};
pub use target::StepsToTarget;
