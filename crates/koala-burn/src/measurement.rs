//! What `update` is told of the loss.

use burn::Tensor;
use koala_filter::Observation;

/// The losses of a minibatch, as [`update`](crate::Koala::update) takes them: the per-sample losses themselves, a tensor
/// of as many numbers as there are samples, or an [`Observation`] (accumulated over micro-batches, all-reduced over
/// replicas, or of the mean alone).
#[derive(Clone, Debug)]
pub struct Measurement(pub(crate) Kind);

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a step, passed on once")]
pub(crate) enum Kind {
    Observation(Observation),
    Losses(Tensor<1>),
}

impl From<Observation> for Measurement {
    fn from(observation: Observation) -> Self {
        Self(Kind::Observation(observation))
    }
}

impl From<&Observation> for Measurement {
    fn from(observation: &Observation) -> Self {
        Self(Kind::Observation(*observation))
    }
}

impl From<Tensor<1>> for Measurement {
    /// From per-sample losses. Detached from their graph; read back together with the gradients' sums. A tensor of a
    /// single number is the loss of a single sample.
    fn from(losses: Tensor<1>) -> Self {
        Self(Kind::Losses(losses.inner()))
    }
}
