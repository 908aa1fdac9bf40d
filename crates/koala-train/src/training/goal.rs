//! What there is to learn of samples that have nothing to do with each other.

use burn::tensor::Device;
use koala_data::SampleSet;

use super::{Losses, Measure};

/// What there is to learn of samples that have nothing to do with each other: how a batch of them is made, and what decides
/// which evaluation is the best.
pub trait Goal: Sync {
    /// The samples of a part of the data.
    type Set: SampleSet + Sync;
    /// A batch on the host.
    type Batch: Send;

    /// A batch of these samples. In `drawn` of a training batch stand the run's seed and the epoch, for what is done to samples
    /// at random; nothing is, in an evaluation.
    fn batch(&self, set: &Self::Set, samples: &[usize], drawn: Option<(u64, usize)>)
    -> Self::Batch;

    /// The same batch in pieces of at most `size` samples, in order.
    fn pieces(&self, batch: Self::Batch, size: usize) -> Vec<Self::Batch>;

    /// Samples of a batch.
    fn samples(&self, batch: &Self::Batch) -> usize;

    /// What decides which evaluation is the best.
    fn measure(&self) -> Measure;
}

/// A goal that networks of this kind learn.
pub trait Learnable<M>: Goal {
    /// The losses of a batch, and what there is to count.
    fn losses(&self, model: &M, batch: Self::Batch, device: &Device) -> Losses;
}
