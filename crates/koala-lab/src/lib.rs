//! The laboratory of the KOALA optimizers: data sets, networks, a training loop that takes any optimizer, runs on disk,
//! and comparisons.
//!
//! The floors below it are `koala-core` (the filter) and `koala-burn` (the filter on Burn modules); the program `koala`
//! is a thin layer above it. From a configuration to a trained network:
//!
//! ```no_run
//! use koala_lab::run::{self, Override, RunConfig};
//! use koala_lab::training::{Interrupt, Silent};
//!
//! let config = RunConfig::resolve(None, &[Override::new("optimizer.name", "koala-v")])?;
//! let outcome = run::execute(&config, &mut Silent, &Interrupt::default())?;
//! println!("{} % of the test images are misread", outcome.result.test_error());
//! # Ok::<(), koala_lab::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod compare;
pub mod data;
pub mod device;
mod error;
pub mod gan;
pub mod models;
pub mod optimizers;
mod random;
pub mod recipe;
pub mod replay;
pub mod run;
mod stored;
pub mod training;

pub use error::{Error, Kind};
pub use stored::StateError;
