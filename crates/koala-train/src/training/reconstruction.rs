//! Learning to give images back.

use burn::tensor::Device;
use koala_data::{Augmentation, HostBatch, ImageSet};
use koala_models::{Reconstructor, binary_cross_entropy};

use super::{Batch, Goal, Learnable, Losses, Measure};

/// The pixels of images in [0, 1], not normalised, from themselves; the training ones changed at random. The loss of an image
/// is its [`binary_cross_entropy`].
#[derive(Debug, Clone, Copy)]
pub struct Reconstruction {
    /// How they are changed.
    pub augmentation: Augmentation,
}

impl Goal for Reconstruction {
    type Set = ImageSet;
    type Batch = HostBatch;

    fn batch(&self, set: &ImageSet, samples: &[usize], drawn: Option<(u64, usize)>) -> HostBatch {
        let draws = drawn.and_then(|(seed, epoch)| self.augmentation.draws(seed, epoch));
        set.unit_batch(samples, draws.as_ref())
    }

    fn pieces(&self, batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &HostBatch) -> usize {
        batch.labels.len()
    }

    fn measure(&self) -> Measure {
        Measure::Loss
    }
}

impl<M: Reconstructor> Learnable<M> for Reconstruction {
    fn losses(&self, model: &M, batch: HostBatch, device: &Device) -> Losses {
        let Batch { images, .. } = Batch::new(batch, device);
        let scores = model.reconstruct(images.clone());
        Losses::alone(binary_cross_entropy(scores, images.flatten(1, 3)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Part, SampleTask, Task};
    use super::*;
    use burn::module::Module;
    use burn::tensor::Tensor;
    use koala_data::{BatchOrder, digits};

    /// Gives the same score to every pixel.
    #[derive(Module, Debug)]
    struct Grey {
        score: f64,
    }

    impl Reconstructor for Grey {
        fn reconstruct(&self, images: Tensor<4>) -> Tensor<2> {
            images.flatten(1, 3).zeros_like() + self.score
        }
    }

    /// The mean of log(1 + exp(z)) - z t over all pixels t of the test images, which are bytes of 16.
    #[test]
    fn an_evaluation_is_the_mean_loss_and_tells_no_error() {
        let split = digits().unwrap();
        let order = BatchOrder {
            seed: 1,
            samples: split.train.len(),
            batch_size: 64,
            drop_last: false,
        };
        let goal = Reconstruction {
            augmentation: Augmentation::None,
        };
        let task = SampleTask::with_goal(&split, order, goal, 0, &Device::flex());
        let score = -0.75f64;
        let found = task.evaluate(&Grey { score }, Part::Test);
        let bytes = (0..split.test.len()).flat_map(|sample| split.test.pixels(sample));
        let bytes: Vec<f64> = bytes.map(|byte| f64::from(*byte) / 16.0).collect();
        let mean = bytes.iter().sum::<f64>() / bytes.len() as f64;
        let expected = score.exp().ln_1p() - score * mean;
        assert!((found.loss - expected).abs() < 1e-6, "{found:?} {expected}");
        assert_eq!(found.misread, None);
        assert_eq!(Task::<Grey>::measure(&task), Measure::Loss);
    }

    #[test]
    fn its_images_are_those_of_classification_in_another_scale() {
        let split = digits().unwrap();
        let augmentation = Augmentation::CropFlip;
        let drawn = Some((3, 2));
        let units = Reconstruction { augmentation }.batch(&split.train, &[5, 2], drawn);
        let goal = super::super::Classification { augmentation };
        let normal = goal.batch(&split.train, &[5, 2], drawn);
        assert_eq!(units.labels, normal.labels);
        for (unit, normal) in units.images.iter().zip(&normal.images) {
            assert!((0.0..=1.0).contains(unit));
            assert!((unit - (normal * 0.376 + 0.305)).abs() < 1e-5);
        }
        let still = Reconstruction { augmentation }.batch(&split.train, &[5, 2], None);
        assert_ne!(still.images, units.images);
    }
}
