//! Small patches of many images.

use std::ops::Range;

use koala_models::random;
use rayon::prelude::*;

use super::Pictures;
use super::pyramid::{Plane, laplacian, sizes};

/// Height and width of a patch.
pub(super) const PATCH: usize = 7;

/// Patches of all images of a set at one level of their pyramids, taken at the same places of each image.
#[derive(Debug)]
pub(super) struct Patches {
    channels: usize,
    height: usize,
    width: usize,
    /// The images at this level, one after the other, each channel by channel and row by row.
    values: Vec<f32>,
    /// Top left corners, as numbers of pixels.
    places: Vec<usize>,
    /// Mean and inverse of the standard deviation of each channel, over all patches.
    scales: Vec<[f32; 2]>,
}

impl Patches {
    /// `count` patches of each image at every level, or all there are if those are fewer: which ones is a function of the
    /// seed. The images must not be smaller than a patch.
    pub(super) fn of_levels(images: &Pictures, count: usize, seed: u64) -> Vec<Self> {
        let [channels, height, width] = images.shape();
        let sizes = sizes(height, width);
        let plane = |values: &[f32]| Plane {
            height,
            width,
            values: values.to_vec(),
        };
        // Planes of each image and channel, by level.
        let planes: Vec<Vec<Plane>> = images
            .values()
            .par_chunks(height * width)
            .map(|values| laplacian(plane(values)))
            .collect();
        let mut levels: Vec<Vec<f32>> = sizes
            .iter()
            .map(|[height, width]| Vec::with_capacity(planes.len() * height * width))
            .collect();
        for planes in planes {
            for (level, plane) in levels.iter_mut().zip(planes) {
                level.extend(plane.values);
            }
        }
        levels
            .into_iter()
            .zip(sizes)
            .enumerate()
            .map(|(level, (values, [height, width]))| {
                let mut patches = Self {
                    channels,
                    height,
                    width,
                    values,
                    places: places([height, width], count, seed, level as u64),
                    scales: vec![[0.0, 1.0]; channels],
                };
                patches.scales = patches.measured();
                patches
            })
            .collect()
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Numbers in a patch.
    pub(super) fn dimensions(&self) -> usize {
        self.channels * PATCH * PATCH
    }

    /// Number of images.
    pub(super) fn images(&self) -> usize {
        self.values.len() / self.size()
    }

    /// Number of patches.
    pub(super) fn len(&self) -> usize {
        self.images() * self.places.len()
    }

    /// The patches of some of the images, with mean 0 and deviation 1 in each channel over the whole set: one after the
    /// other, each channel by channel and row by row.
    pub(super) fn normalised(&self, images: Range<usize>) -> Vec<f32> {
        let images = &self.values[images.start * self.size()..images.end * self.size()];
        let mut patches =
            vec![0.0; images.len() / self.size() * self.places.len() * self.dimensions()];
        patches
            .par_chunks_mut(self.places.len() * self.dimensions())
            .zip(images.par_chunks(self.size()))
            .for_each(|(patches, image)| {
                let mut rows = patches.chunks_exact_mut(PATCH);
                for &place in &self.places {
                    for (channel, &[mean, scale]) in self.scales.iter().enumerate() {
                        for from in self.rows(image, channel, place) {
                            for (to, from) in rows.next().into_iter().flatten().zip(from) {
                                *to = (from - mean) * scale;
                            }
                        }
                    }
                }
            });
        patches
    }

    /// Numbers in an image.
    fn size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The rows of a patch.
    fn rows<'a>(
        &self,
        image: &'a [f32],
        channel: usize,
        place: usize,
    ) -> impl Iterator<Item = &'a [f32]> {
        let first = channel * self.height * self.width + place;
        let width = self.width;
        (0..PATCH).map(move |row| &image[first + row * width..][..PATCH])
    }

    /// Mean and inverse of the standard deviation of each channel, or 1 if it is the same everywhere.
    fn measured(&self) -> Vec<[f32; 2]> {
        let count = (self.len() * PATCH * PATCH) as f64;
        (0..self.channels)
            .map(|channel| {
                // The mean of f(value); each image's sum by itself, and these in order, so that threads don't decide.
                let mean = |f: &(dyn Fn(f64) -> f64 + Sync)| {
                    let sums: Vec<f64> = self
                        .values
                        .par_chunks(self.size())
                        .map(|image| {
                            let rows = self
                                .places
                                .iter()
                                .flat_map(|p| self.rows(image, channel, *p));
                            rows.flatten().map(|v| f(f64::from(*v))).sum()
                        })
                        .collect();
                    sums.iter().sum::<f64>() / count
                };
                let middle = mean(&|v| v);
                let deviation = mean(&|v| (v - middle).powi(2)).sqrt();
                // What rounding leaves of flat images is no detail.
                let scale = if deviation < 1e-6 {
                    1.0
                } else {
                    1.0 / deviation
                };
                [middle as f32, scale as f32]
            })
            .collect()
    }
}

/// Different top left corners of patches, as numbers of pixels.
fn places([height, width]: [usize; 2], count: usize, seed: u64, level: u64) -> Vec<usize> {
    let mut generator = random::generator(seed, b"gan distance places", level);
    let across = width - (PATCH - 1);
    let mut all: Vec<usize> = (0..across * (height - (PATCH - 1)))
        .map(|i| i / across * width + i % across)
        .collect();
    let count = count.min(all.len());
    for chosen in 0..count {
        let rest = all.len() - chosen;
        let draw = (random::unit(&mut generator) * rest as f64) as usize;
        all.swap(chosen, chosen + draw.min(rest - 1));
    }
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_different_and_inside() {
        for (height, width, count, expected) in
            [(32, 32, 128, 128), (16, 16, 128, 100), (7, 9, 5, 3)]
        {
            let mut places = places([height, width], count, 3, 0);
            assert!(
                places
                    .iter()
                    .all(|p| p / width + 7 <= height && p % width + 7 <= width)
            );
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), expected);
        }
        assert_ne!(places([32, 32], 9, 3, 0), places([32, 32], 9, 4, 0));
        assert_ne!(places([32, 32], 9, 3, 0), places([32, 32], 9, 3, 1));
    }

    #[test]
    fn patches_hold_the_pixels_of_their_places() {
        // A size without a pyramid: values are pixels. 2 images of 2 channels of 7 x 8.
        let values: Vec<f32> = (0..2 * 2 * 56).map(|i| i as f32).collect();
        let images = Pictures::from_values([2, 7, 8], values);
        let patches = Patches::of_levels(&images, 9, 1).remove(0);
        assert_eq!(
            (patches.images(), patches.len(), patches.dimensions()),
            (2, 4, 98)
        );
        let found = patches.normalised(1..2);
        assert_eq!(found.len(), 2 * 98);
        for (i, value) in found.iter().enumerate() {
            let (patch, channel, y, x) = (i / 98, i / 49 % 2, i / 7 % 7, i % 7);
            let pixel = 112 + channel * 56 + y * 8 + x + patches.places[patch];
            let [mean, scale] = patches.scales[channel];
            assert!((value / scale + mean - pixel as f32).abs() < 1e-3, "{i}");
        }
    }

    #[test]
    fn patches_have_mean_0_and_deviation_1() {
        let values: Vec<f32> = (0..10 * 2 * 1024)
            .map(|i| (i as f32 * 0.37).sin() * if i / 1024 % 2 == 0 { 0.1 } else { 0.9 } + 0.3)
            .collect();
        let images = Pictures::from_values([2, 32, 32], values);
        for patches in Patches::of_levels(&images, 20, 1) {
            let values = patches.normalised(0..10);
            for channel in 0..2 {
                let of_channel = || values.chunks(49).skip(channel).step_by(2).flatten();
                let count = of_channel().count() as f32;
                let mean = of_channel().sum::<f32>() / count;
                let square = of_channel().map(|v| v * v).sum::<f32>() / count;
                assert!(
                    mean.abs() < 1e-3 && (square - 1.0).abs() < 1e-3,
                    "{mean} {square}"
                );
            }
        }
    }
}
