//! Training with KOALA and with the optimizers that it is compared with: one trait, one loop, and runs on disk that go on
//! to the bit where they were stopped.
//!
//! Data sets come from `koala-data`, networks from `koala-models`, KOALA itself from `koala-filter` and `koala-burn`. From a
//! configuration to a trained network:
//!
//! ```no_run
//! use koala_train::run::{self, Override, RunConfig};
//! use koala_train::training::{Interrupt, Silent};
//!
//! let config = RunConfig::resolve(None, &[Override::new("optimizer.name", "koala-v")])?;
//! let outcome = run::execute(&config, &mut Silent, &Interrupt::default())?;
//! println!("{} % of the test images are misread", outcome.result.test_error());
//! # Ok::<(), koala_train::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod device;
pub mod doctor;
mod error;
pub mod gan;
pub mod optimizers;
pub mod own;
pub mod recipe;
pub mod run;
pub mod training;

pub use error::{Error, Kind};
pub use koala_models::stored::StateError;
