//! Learning to tell images apart.

use burn::tensor::Device;
use koala_data::{Augmentation, BatchOrder, HostBatch, ImageSet, Split};
use koala_models::Classifier;

use super::task::read;
use super::{Batch, Goal, Learnable, Losses, Measure, SampleTask, Tally, cross_entropy};

/// Classes of images, the training ones changed at random.
#[derive(Debug, Clone, Copy)]
pub struct Classification {
    /// How they are changed.
    pub augmentation: Augmentation,
}

/// Classes of images.
pub type ImageTask<'a> = SampleTask<'a, Classification>;

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
        Self::with_goal(split, order, Classification { augmentation }, piece, device)
    }
}

impl Goal for Classification {
    type Set = ImageSet;
    type Batch = HostBatch;

    fn batch(&self, set: &ImageSet, samples: &[usize], drawn: Option<(u64, usize)>) -> HostBatch {
        let draws = drawn.and_then(|(seed, epoch)| self.augmentation.draws(seed, epoch));
        set.host_batch(samples, draws.as_ref())
    }

    fn pieces(&self, batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &HostBatch) -> usize {
        batch.labels.len()
    }

    fn measure(&self) -> Measure {
        Measure::Error
    }
}

impl<M: Classifier> Learnable<M> for Classification {
    fn losses(&self, model: &M, batch: HostBatch, device: &Device) -> Losses {
        told_apart(model, batch, device)
    }
}

/// The losses of samples with classes.
pub(super) fn told_apart<M: Classifier>(model: &M, batch: HostBatch, device: &Device) -> Losses {
    let Batch {
        images,
        targets,
        labels,
    } = Batch::new(batch, device);
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
