//! What tests share: made images, and a task that takes its time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_data::{Augmentation, BatchOrder, HostBatch, Split};
use koala_models::{Classifier, Masks};

use super::{Batches, Evaluation, ImageTask, Losses, Measure, Part, Task};

/// Made images without meaning, `[batch, channels, height, width]`, and their classes.
pub(crate) fn images(
    shape: [usize; 4],
    classes: usize,
    device: &Device,
) -> (Tensor<4>, Tensor<1, Int>) {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
    let targets: Vec<i32> = (0..shape[0]).map(|i| (i % classes) as i32).collect();
    (
        Tensor::from_data(TensorData::new(values, shape), device),
        Tensor::from_data(TensorData::new(targets, [shape[0]]), device),
    )
}

/// Seed of the order.
pub const SEED: u64 = 3;

/// Images of which each batch takes a while to be made.
pub struct Paced<'a> {
    pub images: ImageTask<'a>,
    pub pause: Duration,
    /// Batches that were made.
    pub made: AtomicUsize,
}

impl<'a> Paced<'a> {
    /// 100 images in batches of 16, moved and mirrored.
    pub fn new(split: &'a Split, pause: Duration) -> Self {
        let order = BatchOrder {
            seed: SEED,
            samples: 100,
            batch_size: 16,
            drop_last: false,
        };
        Self {
            images: ImageTask::new(split, order, Augmentation::CropFlip, 0, &Device::flex()),
            pause,
            made: AtomicUsize::new(0),
        }
    }
}

impl Batches for Paced<'_> {
    type Epoch = Vec<usize>;
    type Batch = HostBatch;

    fn batches(&self) -> usize {
        self.images.batches()
    }

    fn epoch(&self, epoch: usize) -> Vec<usize> {
        self.images.epoch(epoch)
    }

    fn batch(&self, order: &Vec<usize>, epoch: usize, index: usize) -> HostBatch {
        std::thread::sleep(self.pause);
        self.made.fetch_add(1, Ordering::SeqCst);
        self.images.batch(order, epoch, index)
    }
}

impl<M: Classifier> Task<M> for Paced<'_> {
    type Carry = ();

    fn pieces(&self, batch: HostBatch, size: usize) -> Vec<HostBatch> {
        Task::<M>::pieces(&self.images, batch, size)
    }

    fn samples(&self, batch: &HostBatch) -> usize {
        Task::<M>::samples(&self.images, batch)
    }

    fn start(&self, model: &M, pieces: usize) {
        self.images.start(model, pieces);
    }

    fn losses(
        &self,
        model: &M,
        piece: HostBatch,
        number: usize,
        carry: &mut (),
        masks: &mut Masks,
    ) -> Losses {
        self.images.losses(model, piece, number, carry, masks)
    }

    fn carried(&self, carry: &()) -> Vec<Vec<TensorData>> {
        Task::<M>::carried(&self.images, carry)
    }

    fn restore(&self, model: &M, carried: Vec<Vec<TensorData>>) -> Option<()> {
        self.images.restore(model, carried)
    }

    fn evaluate(&self, model: &M, part: Part) -> Evaluation {
        self.images.evaluate(model, part)
    }

    fn judge(&self) -> Part {
        Task::<M>::judge(&self.images)
    }

    fn measure(&self) -> Measure {
        Task::<M>::measure(&self.images)
    }
}
