//! The same problems for several optimizers: the same seeds, initial weights, batches and augmentation, and the same effort
//! to tune each of them. Every run is done once, by whichever program comes first, and goes on if it was stopped.
//!
//! A [`Suite`] says what is compared; a [`Campaign`] is its runs, planned and done in a folder that `koala-report` reads.
//!
//! ```no_run
//! use koala_compare::Suite;
//!
//! let suite = Suite::find("digits".as_ref())?;
//! assert_eq!(suite.seeds.len(), 5);
//! # Ok::<(), koala_compare::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod arm;
mod campaign;
mod check;
mod choose;
mod embedded;
mod error;
mod halton;
mod horizons;
mod identity;
mod lines;
mod observer;
mod overlay;
mod own;
mod pace;
mod planned;
mod problem;
mod reader;
mod reference;
mod resolved;
mod space;
mod store;
mod suite;
mod sweeps;
mod tuning;
mod workers;

pub use arm::Arm;
pub use campaign::{Campaign, Ended, Expected};
pub use embedded::{SUITES, suite_text};
pub use error::Error;
pub use identity::run_folder;
pub use lines::Lines;
pub use observer::{Position, SuiteObserver};
pub use own::Own;
pub use problem::Problem;
pub use space::{Range, Space, Values};
pub use suite::Suite;
pub use sweeps::SweepPlan;
pub use tuning::TuningPlan;
pub use workers::Orders;
