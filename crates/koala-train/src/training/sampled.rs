//! Learning of samples in batches of a drawn order.

use burn::tensor::{Device, TensorData};
use koala_data::{BatchOrder, SampleSet, Split};
use koala_models::Masks;

use super::{Batches, Evaluation, Goal, Learnable, Losses, Measure, Part, Tally, Task};

/// Samples a forward pass of an evaluation takes at most.
const LARGEST: usize = 500;

/// Samples that have nothing to do with each other, in batches of a drawn order; the goal says what there is to learn of them.
#[derive(Debug)]
pub struct SampleTask<'a, G: Goal> {
    split: &'a Split<G::Set>,
    order: BatchOrder,
    goal: G,
    training: Device,
    inference: Device,
    evaluation_batch: usize,
}

impl<'a, G: Goal> SampleTask<'a, G> {
    /// The samples of `split`, the training ones in this order. At most `piece` of them are evaluated at once; 0 for no limit of
    /// one's own.
    pub fn with_goal(
        split: &'a Split<G::Set>,
        order: BatchOrder,
        goal: G,
        piece: usize,
        device: &Device,
    ) -> Self {
        Self {
            split,
            order,
            goal,
            training: device.clone().autodiff(),
            inference: device.clone().inner(),
            evaluation_batch: if piece == 0 { LARGEST } else { piece },
        }
    }

    fn part(&self, part: Part) -> &'a G::Set {
        match (part, &self.split.validation) {
            (Part::Validation, Some(set)) => set,
            _ => &self.split.test,
        }
    }
}

impl<G: Goal> Batches for SampleTask<'_, G> {
    type Epoch = Vec<usize>;
    type Batch = G::Batch;

    fn batches(&self) -> usize {
        self.order.batches()
    }

    fn epoch(&self, epoch: usize) -> Vec<usize> {
        self.order.permutation(epoch)
    }

    fn batch(&self, order: &Vec<usize>, epoch: usize, index: usize) -> G::Batch {
        let size = self.order.batch_size;
        let from = (index * size).min(order.len());
        let to = (from + size).min(order.len());
        let drawn = Some((self.order.seed, epoch));
        self.goal.batch(&self.split.train, &order[from..to], drawn)
    }
}

impl<M, G: Learnable<M>> Task<M> for SampleTask<'_, G> {
    type Carry = ();

    fn pieces(&self, batch: G::Batch, size: usize) -> Vec<G::Batch> {
        self.goal.pieces(batch, size)
    }

    fn samples(&self, batch: &G::Batch) -> usize {
        self.goal.samples(batch)
    }

    fn start(&self, _model: &M, _pieces: usize) {}

    fn losses(
        &self,
        model: &M,
        piece: G::Batch,
        _number: usize,
        _carry: &mut (),
        _masks: &mut Masks,
    ) -> Losses {
        self.goal.losses(model, piece, &self.training)
    }

    fn carried(&self, _carry: &()) -> Vec<Vec<TensorData>> {
        Vec::new()
    }

    fn restore(&self, _model: &M, carried: Vec<Vec<TensorData>>) -> Option<()> {
        carried.is_empty().then_some(())
    }

    fn evaluate(&self, model: &M, part: Part) -> Evaluation {
        let set = self.part(part);
        let samples: Vec<usize> = (0..set.len()).collect();
        let mut tally = Tally::default();
        for chunk in samples.chunks(self.evaluation_batch) {
            let batch = self.goal.batch(set, chunk, None);
            tally.add(self.goal.losses(model, batch, &self.inference).tally);
        }
        tally.evaluation()
    }

    fn judge(&self) -> Part {
        match self.split.validation {
            Some(_) => Part::Validation,
            None => Part::Test,
        }
    }

    fn measure(&self) -> Measure {
        self.goal.measure()
    }
}
