//! What the training loop asks of those whom it trains.

use burn::module::Module;

use super::{Batches, Checkpoint, Counting, Event, Part, Pictures, Plan, Player, Progress};
use crate::Error;
use crate::optimizers::OptimizerError;

/// One network or several that are trained together, with what moves them and what there is to learn: all in which one kind of
/// training differs from another. Steps, epochs, clocks, evaluations and checkpoints are the loop's.
pub(crate) trait Trainee<'a>: Sized {
    /// What there is to learn.
    type Task: Batches + 'a;
    /// The network that is averaged, evaluated and kept.
    type Network: Module;
    /// What is counted beside the steps.
    type Counts: Counting;
    /// What a step has seen.
    type Seen;

    /// What there is to learn.
    fn task(&self) -> &'a Self::Task;

    /// The network that is averaged, evaluated and kept, and what moves it.
    fn player(&self) -> &Player<Self::Network>;

    /// A network with running statistics for weights that were never trained as they are.
    fn statistics(&self, network: &Self::Network) -> Result<Self::Network, OptimizerError>;

    /// One step on a batch.
    fn step(
        self,
        batch: <Self::Task as Batches>::Batch,
        plan: &Plan,
        progress: &mut Progress<Self::Counts>,
    ) -> Result<(Self, Self::Seen), Error>;

    /// Counts what a step has seen: what is told of it, and whether its losses were finite.
    fn count(seen: Self::Seen, progress: &mut Progress<Self::Counts>) -> (Event, bool);

    /// The part of the data by which a run is judged while it goes: held-out samples if there are any, else the test
    /// samples.
    fn part(&self) -> Part;

    /// How well a network for inference does.
    fn evaluate(&self, network: &Self::Network, part: Part) -> Found<'a, Self>;

    /// What the last evaluation found; nothing if there was none.
    fn judged(&self, counts: &Self::Counts) -> Option<Found<'a, Self>>;

    /// What is told of an evaluation within an epoch.
    fn evaluated(&self, progress: &Progress<Self::Counts>, found: Found<'a, Self>) -> Event;

    /// What is told of an epoch that was evaluated at its end, one more than `progress` counts.
    fn epoch(&self, progress: &Progress<Self::Counts>, found: Found<'a, Self>) -> Event;

    /// Real images to look at.
    fn real(&self) -> Option<Pictures> {
        None
    }

    /// What a network for inference makes, to look at.
    fn made(&self, _network: &Self::Network) -> Option<Pictures> {
        None
    }

    /// Whether a run has ended in losses that are no numbers; `last` is what was found at its end.
    fn diverged(missing: u32, interrupted: bool, last: Option<&Found<'a, Self>>) -> bool;

    /// Bytes that the optimizers remember between steps.
    fn memory_bytes(&self) -> Result<u64, OptimizerError>;

    /// Adds to a checkpoint what a run needs to go on, besides progress and average.
    fn put(&self, checkpoint: &mut Checkpoint) -> Result<(), Error>;
}

/// What an evaluation finds.
pub(crate) type Found<'a, K> = <<K as Trainee<'a>>::Counts as Counting>::Found;
