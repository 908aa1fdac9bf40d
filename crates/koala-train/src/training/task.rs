//! What the training loop asks of a task.

use burn::tensor::{Tensor, TensorData, Transaction};
use koala_models::Masks;

use super::{Batches, Evaluation, Measure, Part, Tally};

/// What there is to learn: where batches come from, which losses they have, and how well a network does.
pub trait Task<M>: Batches {
    /// What goes from one batch of an epoch to the next on the device (the state of a recurrent network).
    type Carry;

    /// The same batch in pieces of at most `size` samples (rows of text), in order.
    fn pieces(&self, batch: Self::Batch, size: usize) -> Vec<Self::Batch>;

    /// Samples of a batch or a piece of it (tokens of text): how many losses it has.
    fn samples(&self, batch: &Self::Batch) -> usize;

    /// What the first batch of an epoch starts with, for a batch in so many pieces.
    fn start(&self, model: &M, pieces: usize) -> Self::Carry;

    /// The losses of a piece of a batch, and what there is to count. `number` is the piece's number in the batch.
    fn losses(
        &self,
        model: &M,
        piece: Self::Batch,
        number: usize,
        carry: &mut Self::Carry,
        masks: &mut Masks,
    ) -> Losses;

    /// The carry as tensors, for a checkpoint: those of each piece.
    fn carried(&self, carry: &Self::Carry) -> Vec<Vec<TensorData>>;

    /// The carry of these tensors; none if they are of another form.
    fn restore(&self, model: &M, carried: Vec<Vec<TensorData>>) -> Option<Self::Carry>;

    /// How well a network for inference does.
    fn evaluate(&self, model: &M, part: Part) -> Evaluation;

    /// The part by which a run is judged while it goes: held-out samples if there are any, else the test samples.
    fn judge(&self) -> Part;

    /// What decides which evaluation is the best.
    fn measure(&self) -> Measure;
}

/// The losses of samples.
#[derive(Debug)]
pub struct Losses {
    /// One a sample, with gradients, `[samples]`.
    pub tensor: Tensor<1>,
    /// The same on the host.
    pub host: Vec<f32>,
    /// What there is to count.
    pub tally: Tally,
}

impl Losses {
    /// Those of samples without classes, so that there is nothing to count beside them.
    pub(crate) fn alone(tensor: Tensor<1>) -> Self {
        let host = floats(tensor.clone().inner().into_data());
        Self {
            tally: Tally::alone(&host),
            host,
            tensor,
        }
    }
}

/// The values of two float tensors on the host, read at once: a device that works ahead is waited for once, not twice.
pub(crate) fn read<const A: usize, const B: usize>(
    first: Tensor<A>,
    second: Tensor<B>,
) -> [Vec<f32>; 2] {
    let both = Transaction::default().register(first.inner());
    let mut values = both
        .register(second.inner())
        .execute()
        .into_iter()
        .map(floats);
    [(); 2].map(|()| values.next().unwrap_or_default())
}

/// The values of a float tensor on the host.
pub(crate) fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec().unwrap_or_default()
}
