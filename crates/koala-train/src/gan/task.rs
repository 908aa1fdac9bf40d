//! What there is to make: real images, noise, and how far the one is from what is made of the other.

use burn::tensor::{Device, Tensor};
use koala_data::{Augmentation, BatchOrder, HostBatch, ImageSet, Split};
use koala_models::gan::{Generator, NoisePurpose, noise};

use super::{Distance, GanSpec, Level, LevelDistance, Pictures, SlicedWasserstein};
use crate::training::{Batches, Part, enough, recompute_statistics};

/// Images that are made or moved at once where nothing is trained.
const LARGEST: usize = 500;
/// Images of a picture.
const SHOWN: usize = 64;

/// Images to be made like those of a data set. All that is drawn is a function of the seed and the step.
#[derive(Debug)]
pub struct GanTask<'a> {
    split: &'a Split,
    order: BatchOrder,
    augmentation: Augmentation,
    spec: GanSpec,
    training: Device,
    inference: Device,
}

impl<'a> GanTask<'a> {
    /// The images of `split`, the training ones in this order, whose seed is that of the noise too, and changed at random
    /// by `augmentation`.
    pub fn new(
        split: &'a Split,
        order: BatchOrder,
        augmentation: Augmentation,
        spec: &GanSpec,
        device: &Device,
    ) -> Self {
        Self {
            split,
            order,
            augmentation,
            spec: spec.clone(),
            training: device.clone().autodiff(),
            inference: device.clone().inner(),
        }
    }

    /// How it is trained.
    pub fn spec(&self) -> &GanSpec {
        &self.spec
    }

    /// A device with gradients.
    pub(super) fn device(&self) -> &Device {
        &self.training
    }

    /// Seed of all that is drawn.
    pub(super) fn seed(&self) -> u64 {
        self.order.seed
    }

    /// Noise to train on, for so many images; for a whole batch if nothing is said.
    pub(super) fn noise(
        &self,
        purpose: NoisePurpose,
        step: u64,
        images: Option<usize>,
    ) -> Tensor<2> {
        let size = [
            images.unwrap_or(self.order.batch_size),
            self.spec.network.noise,
        ];
        noise(self.order.seed, purpose, step, size, &self.training)
    }

    /// A generator, for inference, with running statistics of what it makes of an epoch's first noise.
    pub(super) fn statistics<E>(&self, generator: &Generator) -> Result<Generator, E> {
        let steps = enough(0..self.batches() as u64, |_| self.order.batch_size);
        recompute_statistics(generator, steps, |generator, step| {
            generator.forward(self.noise(NoisePurpose::Generator, step, None));
            Ok(())
        })
    }

    /// The part of the data that images are compared with while a run goes: held-out images if there are any, else the
    /// test images.
    pub(super) fn judge(&self) -> Part {
        match self.split.validation {
            Some(_) => Part::Validation,
            None => Part::Test,
        }
    }

    /// How far what a generator for inference makes is from the first images of a part; the noise is always the same.
    /// Nothing if no comparison is wished, or the generator makes something that is not a number.
    pub fn distance(&self, generator: &Generator, part: Part) -> Option<Distance> {
        let set = self.part(part);
        let count = self.spec.evaluate_images.min(set.len());
        let made = self.made(generator, NoisePurpose::Distance, count)?;
        Self::between(&real(set, count), &made)
    }

    /// How far the first training images are from the first test images: about where a perfect generator would be.
    pub fn real_distance(&self) -> Option<Distance> {
        let (train, test) = (&self.split.train, &self.split.test);
        let images = self.spec.evaluate_images;
        let count = images.min(train.len()).min(test.len());
        Self::between(&real(test, count), &real(train, count))
    }

    fn between(real: &Pictures, made: &Pictures) -> Option<Distance> {
        // They have one shape and are as many, so that only values that are not finite can be refused.
        let levels = SlicedWasserstein::default().between(real, made).ok()?;
        let level = |level: LevelDistance| Level {
            height: level.height,
            width: level.width,
            distance: level.distance,
        };
        Distance::of(levels.into_iter().map(level).collect())
    }

    /// Images made from noise that is the same at every step, to be looked at.
    pub(super) fn pictures(&self, generator: &Generator) -> Option<Pictures> {
        self.made(generator, NoisePurpose::Picture, SHOWN)
    }

    /// As many real images, the first to train on.
    pub(super) fn real_pictures(&self) -> Pictures {
        real(&self.split.train, SHOWN)
    }

    fn made(&self, generator: &Generator, purpose: NoisePurpose, count: usize) -> Option<Pictures> {
        let numbers = self.spec.network.noise;
        let noise = noise(
            self.order.seed,
            purpose,
            0,
            [count, numbers],
            &self.inference,
        );
        let mut pictures: Option<Pictures> = None;
        for from in (0..count).step_by(LARGEST) {
            let to = (from + LARGEST).min(count);
            let some = Pictures::new(generator.forward(noise.clone().narrow(0, from, to - from)));
            match &mut pictures {
                None => pictures = Some(some),
                Some(pictures) => pictures.append(some).then_some(())?,
            }
        }
        pictures
    }

    fn part(&self, part: Part) -> &'a ImageSet {
        match (part, &self.split.validation) {
            (Part::Validation, Some(set)) => set,
            _ => &self.split.test,
        }
    }
}

impl Batches for GanTask<'_> {
    type Epoch = Vec<usize>;
    /// The real images of one step: a batch for each update of the critic.
    type Batch = Vec<HostBatch>;

    /// Steps in an epoch. Batches that are too few for another one are left out; which they are differs from epoch to
    /// epoch.
    fn batches(&self) -> usize {
        self.order.batches() / self.spec.critic_steps.max(1)
    }

    fn epoch(&self, epoch: usize) -> Vec<usize> {
        self.order.permutation(epoch)
    }

    fn batch(&self, order: &Vec<usize>, epoch: usize, index: usize) -> Vec<HostBatch> {
        let draws = self.augmentation.draws(self.order.seed, epoch);
        let size = self.order.batch_size.max(1);
        let steps = self.spec.critic_steps;
        let batches = order.chunks(size).skip(index * steps).take(steps);
        batches
            .map(|samples| self.split.train.signed_batch(samples, draws.as_ref()))
            .collect()
    }
}

/// The first images of a set, fewer if it has not as many.
fn real(set: &ImageSet, count: usize) -> Pictures {
    let samples: Vec<usize> = (0..count.min(set.len())).collect();
    let batch = set.signed_batch(&samples, None);
    Pictures::from_values(batch.shape, batch.images)
}
