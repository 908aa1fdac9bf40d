//! Learning to tell images apart.

use burn::tensor::{Device, TensorData};
use koala_data::{Augmentation, BatchOrder, HostBatch, ImageSet, Split};
use koala_models::{Classifier, Masks};

use super::task::read;
use super::{Batch, Batches, Evaluation, Losses, Measure, Part, Tally, Task, cross_entropy};

/// Images a forward pass of an evaluation takes at most.
const LARGEST: usize = 500;

/// Classes of images.
#[derive(Debug)]
pub struct ImageTask<'a> {
    split: &'a Split,
    order: BatchOrder,
    augmentation: Augmentation,
    training: Device,
    inference: Device,
    evaluation_batch: usize,
}

impl<'a> ImageTask<'a> {
    /// The images of `split`, the training ones in this order and changed at random by `augmentation`. At most
    /// `piece` of them are evaluated at once; 0 for no limit of one's own.
    pub fn new(
        split: &'a Split,
        order: BatchOrder,
        augmentation: Augmentation,
        piece: usize,
        device: &Device,
    ) -> Self {
        Self {
            split,
            order,
            augmentation,
            training: device.clone().autodiff(),
            inference: device.clone().inner(),
            evaluation_batch: if piece == 0 { LARGEST } else { piece },
        }
    }

    fn part(&self, part: Part) -> &'a ImageSet {
        match (part, &self.split.validation) {
            (Part::Validation, Some(set)) => set,
            _ => &self.split.test,
        }
    }
}

impl Batches for ImageTask<'_> {
    type Epoch = Vec<usize>;
    type Batch = HostBatch;

    fn batches(&self) -> usize {
        self.order.batches()
    }

    fn epoch(&self, epoch: usize) -> Vec<usize> {
        self.order.permutation(epoch)
    }

    fn batch(&self, order: &Vec<usize>, epoch: usize, index: usize) -> HostBatch {
        let size = self.order.batch_size;
        let from = (index * size).min(order.len());
        let to = (from + size).min(order.len());
        let draws = self.augmentation.draws(self.order.seed, epoch);
        self.split
            .train
            .host_batch(&order[from..to], draws.as_ref())
    }
}

impl<M: Classifier> Task<M> for ImageTask<'_> {
    type Carry = ();

    fn pieces(&self, batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &HostBatch) -> usize {
        batch.labels.len()
    }

    fn start(&self, _model: &M, _pieces: usize) {}

    fn losses(
        &self,
        model: &M,
        piece: HostBatch,
        _number: usize,
        _carry: &mut (),
        _masks: &mut Masks,
    ) -> Losses {
        let Batch {
            images,
            targets,
            labels,
        } = Batch::new(piece, &self.training);
        let scores = model.forward(images);
        let tensor = cross_entropy(scores.clone(), targets);
        let [host, scores] = read(tensor.clone(), scores);
        let tally = Tally::of(&host, &scores, labels.into_iter().map(usize::from));
        Losses {
            tensor,
            host,
            tally,
        }
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
            let batch = Batch::new(set.host_batch(chunk, None), &self.inference);
            let scores = model.forward(batch.images);
            let [losses, scores] = read(cross_entropy(scores.clone(), batch.targets), scores);
            let classes = batch.labels.into_iter().map(usize::from);
            tally.add(Tally::of(&losses, &scores, classes));
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
        Measure::Error
    }
}
