//! Recorded trajectories, repeated: a run that was recorded step by step (parameters, gradients, losses) is fed to
//! [`crate::dense::Koala`] again, and everything the optimizer computes is compared with what was recorded.
//!
//! ```no_run
//! let replay = koala_filter::replay::replay("fixtures/trajectories/koala-m.safetensors".as_ref())?;
//! assert!(replay.holds(), "{} in {}", replay.worst.relative, replay.worst.place());
//! # Ok::<(), koala_filter::replay::ReplayError>(())
//! ```

mod damage;
mod difference;
mod error;
mod hyperparameters;
mod names;
mod run;
mod settings;
mod tensors;

pub use difference::Difference;
pub use error::{Fault, ReplayError};
pub use run::{Replay, replay};
pub use settings::{Precision, Settings};
