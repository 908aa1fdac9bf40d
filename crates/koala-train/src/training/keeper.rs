//! Who keeps what a run needs to go on.

use super::Checkpoint;
use crate::Error;

/// Someone who keeps checkpoints and the weights of the best evaluation.
pub trait Keeper {
    /// Whether a checkpoint should be made after this many steps. `last` at the end of a run and when it is stopped.
    fn due(&mut self, step: u64, last: bool) -> bool;

    /// Keeps a checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error`] ends the run with it (a disk that is full).
    fn keep(&mut self, checkpoint: Checkpoint) -> Result<(), Error>;

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
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Keeper for Forgetful {
    fn due(&mut self, _step: u64, _last: bool) -> bool {
        false
    }

    fn keep(&mut self, _checkpoint: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    fn best(&mut self, _weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
        Ok(())
    }
}
