//! Batches of images on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_data::{HostBatch, ImageSet, LabelledTable};
use koala_models::ImageShape;

/// A batch on a device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalised images, `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// Classes, `[batch]`.
    pub targets: Tensor<1, Int>,
    /// The same classes, on the host.
    pub labels: Vec<u16>,
}

impl Batch {
    /// Moves a batch to a device.
    pub fn new(batch: HostBatch, device: &Device) -> Self {
        let count = batch.labels.len();
        let [channels, height, width] = batch.shape;
        let classes: Vec<i64> = batch.labels.iter().map(|l| i64::from(*l)).collect();
        Self {
            images: Tensor::from_data(
                TensorData::new(batch.images, [count, channels, height, width]),
                device,
            ),
            targets: Tensor::from_data(TensorData::new(classes, [count]), device),
            labels: batch.labels,
        }
    }
}

/// What a network for the images of a set is told of them.
pub fn shape_of(set: &ImageSet) -> ImageShape {
    ImageShape {
        channels: set.channels,
        height: set.height,
        width: set.width,
        classes: set.classes,
    }
}

/// What a network for rows with classes is told of them: they are images of one channel and one row of pixels.
pub fn shape_of_rows(set: &LabelledTable) -> ImageShape {
    ImageShape {
        channels: 1,
        height: 1,
        width: set.columns(),
        classes: set.classes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_arrives_as_it_was() {
        let host = HostBatch {
            images: vec![0.0, 0.5, -2.0, 0.0],
            labels: vec![1, 2],
            shape: [1, 1, 2],
        };
        let batch = Batch::new(host, &Device::flex());
        assert_eq!(batch.labels, [1, 2]);
        assert_eq!(batch.images.dims(), [2, 1, 1, 2]);
        let values: Vec<f32> = batch.images.into_data().try_into_vec().unwrap();
        assert_eq!(values, [0.0, 0.5, -2.0, 0.0]);
        let targets = batch.targets.into_data().convert::<i64>();
        assert_eq!(targets.try_into_vec::<i64>().unwrap(), [1, 2]);
    }
}
