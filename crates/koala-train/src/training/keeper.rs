//! Who keeps what a run needs to go on.

use koala_models::stored::StateError;

use super::Checkpoint;
use crate::Error;

/// Someone who keeps checkpoints and the weights of the best evaluation.
pub trait Keeper {
    /// Whether a checkpoint should be made after this many steps. `last` at the end of a run and when it is stopped.
    fn due(&mut self, step: u64, last: bool) -> bool;

    /// Keeps a checkpoint; what went wrong that the run does not need, in words.
    ///
    /// # Errors
    ///
    /// [`Error`] ends the run with it (a disk that is full).
    fn keep(&mut self, checkpoint: Checkpoint) -> Result<Option<String>, Error>;

    /// Keeps the weights of the best evaluation so far, as safetensors; they are made only if they are wanted.
    ///
    /// # Errors
    ///
    /// [`Error`] ends the run with it.
    fn best(&mut self, weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error>;

    /// The weights that [`best`](Keeper::best) kept last; nothing if they were not kept.
    ///
    /// # Errors
    ///
    /// [`Error`] if they cannot be read.
    fn best_weights(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    /// The error that says that [`best_weights`](Keeper::best_weights) are no weights of this network.
    fn refuse_best(&self, fault: String) -> Error {
        Error::State(StateError::Damaged {
            what: "best weights",
            reason: fault,
        })
    }
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Keeper for Forgetful {
    fn due(&mut self, _step: u64, _last: bool) -> bool {
        false
    }

    fn keep(&mut self, _checkpoint: Checkpoint) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn best(&mut self, _weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
        Ok(())
    }
}
