//! Where batches come from.

/// The batches of a run, made on the host by a thread of its own beside the training step.
///
/// A batch is a pure function of the seed, the epoch and its number in it.
pub trait Batches: Sync {
    /// What an epoch draws once (an order of samples).
    type Epoch: Send;
    /// A batch on the host.
    type Batch: Send;

    /// Batches in an epoch.
    fn batches(&self) -> usize;

    /// What epoch `epoch` (from 0) draws once.
    fn epoch(&self, epoch: usize) -> Self::Epoch;

    /// Batch `index` (from 0) of an epoch.
    fn batch(&self, drawn: &Self::Epoch, epoch: usize, index: usize) -> Self::Batch;
}
