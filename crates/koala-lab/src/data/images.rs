//! Labelled images in memory, and batches of them as tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::ImageShape;

/// Labelled grey images, kept as the bytes of their file and normalised when a batch is made.
#[derive(Debug, Clone)]
pub struct ImageSet {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Number of classes; every label is below it.
    pub classes: usize,
    /// The byte that stands for full white.
    pub white: u8,
    /// Mean of the training pixels, on the scale from 0 to 1.
    pub mean: f32,
    /// Standard deviation of the training pixels, on the scale from 0 to 1.
    pub deviation: f32,
    pub(crate) pixels: Vec<u8>,
    pub(crate) labels: Vec<u8>,
}

/// One batch.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalised images, `[batch, 1, height, width]`.
    pub images: Tensor<4>,
    /// Classes, `[batch]`.
    pub targets: Tensor<1, Int>,
    /// The same classes, on the host.
    pub labels: Vec<u8>,
}

/// The two parts of a data set: one to train on, one that training never sees.
#[derive(Debug, Clone)]
pub struct Split {
    /// The samples to train on.
    pub train: ImageSet,
    /// The samples to test on.
    pub test: ImageSet,
}

impl ImageSet {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Size of the images and number of classes.
    pub fn shape(&self) -> ImageShape {
        ImageShape {
            channels: 1,
            height: self.height,
            width: self.width,
            classes: self.classes,
        }
    }

    /// The class of each sample.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The bytes of one image, row by row; empty if there is no such sample.
    pub fn pixels(&self, sample: usize) -> &[u8] {
        let size = self.height * self.width;
        self.pixels
            .get(sample * size..(sample + 1) * size)
            .unwrap_or_default()
    }

    /// Keeps only the first `count` samples; all of them if there are fewer.
    pub fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
        self.pixels
            .truncate(count.saturating_mul(self.height * self.width));
    }

    /// Makes a batch of the given samples, in the given order. Numbers of samples that do not exist are left out.
    pub fn batch(&self, samples: &[usize], device: &Device) -> Batch {
        let size = self.height * self.width;
        let scale = 1.0 / (f32::from(self.white) * self.deviation);
        let shift = self.mean / self.deviation;
        let mut values = Vec::with_capacity(samples.len() * size);
        let mut labels = Vec::with_capacity(samples.len());
        for &sample in samples {
            if let Some(label) = self.labels.get(sample) {
                labels.push(*label);
                values.extend(
                    self.pixels(sample)
                        .iter()
                        .map(|p| f32::from(*p) * scale - shift),
                );
            }
        }
        let count = labels.len();
        let classes: Vec<i64> = labels.iter().map(|l| i64::from(*l)).collect();
        Batch {
            images: Tensor::from_data(
                TensorData::new(values, [count, 1, self.height, self.width]),
                device,
            ),
            targets: Tensor::from_data(TensorData::new(classes, [count]), device),
            labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> ImageSet {
        ImageSet {
            height: 1,
            width: 2,
            classes: 3,
            white: 10,
            mean: 0.5,
            deviation: 0.25,
            pixels: vec![0, 5, 10, 0, 5, 5],
            labels: vec![2, 0, 1],
        }
    }

    #[test]
    fn batches_are_normalised_and_in_order() {
        let batch = three().batch(&[2, 0, 7], &Device::flex());
        assert_eq!(batch.labels, [1, 2]);
        assert_eq!(batch.images.dims(), [2, 1, 1, 2]);
        let values: Vec<f32> = batch.images.into_data().try_into_vec().unwrap();
        assert_eq!(values, [0.0, 0.0, -2.0, 0.0]);
    }

    #[test]
    fn truncation_keeps_the_first() {
        let mut set = three();
        set.truncate(1);
        assert_eq!(
            (set.len(), set.pixels(0), set.pixels(1)),
            (1, &[0u8, 5][..], &[][..])
        );
        set.truncate(9);
        assert_eq!(set.len(), 1);
    }
}
