//! Who keeps what a run needs to go on.

use std::collections::BTreeMap;

use super::Evaluation;
use crate::Error;

/// What a run needs to go on, as named files, and where its logs stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps that were done.
    pub step: u64,
    /// Content of each file by its name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Bytes of each log that were written by then, by its name.
    pub marks: Marks,
}

/// Bytes that logs have, by their names.
pub type Marks = BTreeMap<String, u64>;

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
    fn best(
        &mut self,
        evaluation: Evaluation,
        weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error>;
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

    fn best(
        &mut self,
        _evaluation: Evaluation,
        _weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
