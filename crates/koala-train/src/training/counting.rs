//! What the training loop asks of what is counted.

use serde::Serialize;

/// What a kind of training counts beside the steps, and keeps of its evaluations.
pub(crate) trait Counting: Serialize {
    /// What an evaluation finds.
    type Found: Clone;

    /// Takes an evaluation after so many steps; true if it is the best so far.
    fn judge(&mut self, step: u64, found: &Self::Found) -> bool;

    /// Evaluations by held-out samples since the one with the lowest loss.
    fn waited(&self) -> u64 {
        0
    }

    /// Steps that were done at the best evaluation, if its weights are to be tested at the end beside the last ones.
    fn tested_best(&self) -> Option<u64> {
        None
    }

    /// Ends an epoch, or if it is not whole the part of it that was done.
    fn end_epoch(&mut self, whole: bool);
}
