//! Images on the host.

use burn::tensor::Tensor;

/// Images of one size on the host, with values meant to be in [-1, 1]: to be shown, or compared with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Pictures {
    /// The images of a tensor, `[count, channels, height, width]`.
    pub fn new(images: Tensor<4>) -> Self {
        let [_, channels, height, width] = images.dims();
        let values = images.into_data().convert::<f32>().try_into_vec();
        Self::from_values([channels, height, width], values.unwrap_or_default())
    }

    /// Images from their values, one image after the other, each channel by channel and row by row. Values beyond the last
    /// whole image are left out.
    pub fn from_values([channels, height, width]: [usize; 3], mut values: Vec<f32>) -> Self {
        let size = channels * height * width;
        values.truncate(values.len().checked_div(size).unwrap_or(0) * size);
        Self {
            channels,
            height,
            width,
            values,
        }
    }

    /// Adds the images of another batch behind these, if they are of the same shape; returns whether they are.
    #[must_use]
    pub fn append(&mut self, mut others: Self) -> bool {
        let same = self.shape() == others.shape();
        if same {
            self.values.append(&mut others.values);
        }
        same
    }

    /// Channels, height and width of each.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let size = self.channels * self.height * self.width;
        self.values.len().checked_div(size).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of each image, channel by channel and row by row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        let size = self.channels * self.height * self.width;
        self.values.chunks_exact(size.max(1))
    }

    /// All values.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn batches_follow_each_other() {
        let device = Device::flex();
        let batch = |from: i64| {
            let values = Tensor::arange(from..from + 12, &device).float();
            Pictures::new(values.reshape([2, 1, 2, 3]))
        };
        let mut pictures = batch(0);
        assert!(pictures.append(batch(12)));
        assert_eq!((pictures.len(), pictures.shape()), (4, [1, 2, 3]));
        let third = pictures.iter().nth(2).unwrap();
        assert_eq!(third, [12.0, 13.0, 14.0, 15.0, 16.0, 17.0]);
        let other = Pictures::from_values([1, 3, 2], vec![0.0; 6]);
        assert!(!pictures.append(other));
        assert_eq!(pictures.len(), 4);
    }

    #[test]
    fn what_is_no_image_is_left_out() {
        assert_eq!(Pictures::from_values([1, 2, 2], vec![0.0; 11]).len(), 2);
        let none = Pictures::from_values([0, 2, 2], vec![0.0; 11]);
        assert_eq!((none.len(), none.iter().len()), (0, 0));
    }
}
