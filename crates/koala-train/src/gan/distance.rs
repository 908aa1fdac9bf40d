//! How far one set of images is from another.

use burn::tensor::{Device, Tensor, TensorData};
use koala_models::random;
use rayon::prelude::*;

use super::Pictures;
use super::patches::{PATCH, Patches};

/// The sliced Wasserstein distance of patches, at each level of the images' Laplacian pyramids.
///
/// Chosen since it needs no pretrained network, and so no download and no choice of weights; since it is the metric of a
/// published paper; and since it sees both sides of a generator's quality: the finest level says whether textures are right,
/// the coarser ones whether larger structures are, and as a distance between distributions it grows if some kinds of
/// images are missing.
///
/// At each level, patches of 7 x 7 pixels are taken from all images of both sets, each set's are normalised to mean 0 and
/// deviation 1 in every channel, and projected onto random directions. In one dimension the Wasserstein distance is the mean
/// difference of the sorted values; the mean of it over the directions is the level's distance.
///
/// What it does not see: brightness and contrast of a whole set, which the normalisation removes; the order of things that
/// are further apart than a patch of the coarsest level; and whether images were learned by heart, since the training set
/// itself has distance 0. Sets of a few images from one source have a distance above 0: compare with the one between two
/// sets of real images of the same number, and only distances of equal settings.
///
/// In contrast to the paper, which draws patches anew for each image, the places are the same in every image: so equal sets
/// have distance 0 in whatever order they are, and a small change of the images is a small change of the distance.
///
/// T. Karras, T. Aila, S. Laine, J. Lehtinen: Progressive growing of GANs for improved quality, stability, and variation,
/// ICLR 2018, section 5 (they print it times 1,000, of 16,384 images). J. Rabin, G. Peyre, J. Delon, M. Bernot: Wasserstein
/// barycenter and its application to texture mixing, SSVM 2011.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlicedWasserstein {
    /// What places and directions are drawn from.
    pub seed: u64,
    /// Patches of each image at each level, fewer if it has no more. The paper's 128 by default.
    pub patches: usize,
    /// Random directions. The paper's 512 by default.
    pub directions: usize,
}

impl Default for SlicedWasserstein {
    fn default() -> Self {
        Self {
            seed: 0,
            patches: 128,
            directions: 512,
        }
    }
}

/// The distance at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelDistance {
    /// Height of the images at this level.
    pub height: usize,
    /// Width of the images at this level.
    pub width: usize,
    /// The distance, in standard deviations of the patches' values.
    pub distance: f64,
}

/// Sets of images that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DistanceError {
    /// Their images have different shapes.
    #[error(
        "images of channels, height and width {first:?} cannot be compared with images of {second:?}"
    )]
    Shapes {
        /// Of the first set.
        first: [usize; 3],
        /// Of the second set.
        second: [usize; 3],
    },
    /// They have not as many images as each other, or none.
    #[error(
        "{first} images cannot be compared with {second}: give as many of both, and at least one"
    )]
    Counts {
        /// In the first set.
        first: usize,
        /// In the second set.
        second: usize,
    },
    /// The images are smaller than a patch.
    #[error("images of {height} x {width} are smaller than a patch of 7 x 7")]
    TooSmall {
        /// Of the images.
        height: usize,
        /// Of the images.
        width: usize,
    },
    /// No patches or no directions were asked for.
    #[error("patches and directions must be at least 1")]
    Nothing,
    /// A value is infinite or not a number.
    #[error("image {image} of the {set} set holds a value that is not a finite number")]
    NotFinite {
        /// `first` or `second`.
        set: &'static str,
        /// Which image, from 0.
        image: usize,
    },
}

/// Directions that are worked on at once: what bounds the memory for projections.
const AT_ONCE: usize = 128;

impl SlicedWasserstein {
    /// The distance between two sets of as many images, from the images' own size down to the coarsest level: halved while
    /// sides are even and stay at least 16 (for 32 x 32: 32 and 16).
    ///
    /// Symmetric, 0 for equal sets, and a function of the images and these settings alone, independent of the images'
    /// order. Takes memory for the images twice over and for 128 numbers a patch.
    ///
    /// # Errors
    ///
    /// [`DistanceError`] if the sets cannot be compared.
    pub fn between(
        &self,
        first: &Pictures,
        second: &Pictures,
    ) -> Result<Vec<LevelDistance>, DistanceError> {
        self.check(first, second)?;
        let levels = Patches::of_levels(first, self.patches, self.seed)
            .into_iter()
            .zip(Patches::of_levels(second, self.patches, self.seed));
        Ok(levels
            .enumerate()
            .map(|(level, (first, second))| LevelDistance {
                height: first.height(),
                width: first.width(),
                distance: self.at_level(level, &first, &second),
            })
            .collect())
    }

    fn check(&self, first: &Pictures, second: &Pictures) -> Result<(), DistanceError> {
        if first.shape() != second.shape() {
            return Err(DistanceError::Shapes {
                first: first.shape(),
                second: second.shape(),
            });
        }
        if first.len() != second.len() || first.is_empty() {
            return Err(DistanceError::Counts {
                first: first.len(),
                second: second.len(),
            });
        }
        let [_, height, width] = first.shape();
        if height.min(width) < PATCH {
            return Err(DistanceError::TooSmall { height, width });
        }
        if self.patches == 0 || self.directions == 0 {
            return Err(DistanceError::Nothing);
        }
        for (set, images) in [("first", first), ("second", second)] {
            let broken = |image: &[f32]| !image.iter().all(|v| v.is_finite());
            if let Some(image) = images.iter().position(broken) {
                return Err(DistanceError::NotFinite { set, image });
            }
        }
        Ok(())
    }

    fn at_level(&self, level: usize, first: &Patches, second: &Patches) -> f64 {
        let directions = self.directions_of(level, first.dimensions());
        let count = directions.len() / first.dimensions();
        let sum: f64 = directions
            .chunks(AT_ONCE * first.dimensions())
            .map(|directions| {
                let (first, second) = (project(first, directions), project(second, directions));
                // Summed in the order of directions: threads must not decide about the last bit.
                let distances: Vec<f64> = first
                    .par_iter()
                    .zip(&second)
                    .map(|(first, second)| wasserstein(first, second))
                    .collect();
                distances.iter().sum::<f64>()
            })
            .sum();
        sum / count as f64
    }

    /// Unit vectors in random directions, one after the other.
    fn directions_of(&self, level: usize, dimensions: usize) -> Vec<f32> {
        let mut generator = random::generator(self.seed, b"gan distance directions", level as u64);
        let mut values = random::normal(&mut generator, self.directions * dimensions, 1.0);
        for direction in values.chunks_exact_mut(dimensions) {
            let square: f64 = direction.iter().map(|v| f64::from(*v).powi(2)).sum();
            let length = square.sqrt().max(f64::MIN_POSITIVE);
            direction
                .iter_mut()
                .for_each(|v| *v = (f64::from(*v) / length) as f32);
        }
        values
    }
}

/// What all patches are in each of the directions: for each direction the values of all patches.
fn project(patches: &Patches, directions: &[f32]) -> Vec<Vec<f32>> {
    /// Images whose patches are multiplied at once.
    const IMAGES: usize = 128;
    // The pictures are on the host, and so is their measure: the same whatever they were made on.
    let (dimensions, device) = (patches.dimensions(), Device::flex());
    let count = directions.len() / dimensions;
    let data = TensorData::new(directions.to_vec(), [count, dimensions]);
    let directions = Tensor::<2>::from_data(data, &device);
    let mut projections = vec![Vec::with_capacity(patches.len()); count];
    for from in (0..patches.images()).step_by(IMAGES) {
        let values = patches.normalised(from..(from + IMAGES).min(patches.images()));
        let rows = values.len() / dimensions;
        let values = Tensor::<2>::from_data(TensorData::new(values, [rows, dimensions]), &device);
        let product = directions.clone().matmul(values.transpose()).into_data();
        let product: Vec<f32> = product.try_into_vec().unwrap_or_default();
        for (to, from) in projections.iter_mut().zip(product.chunks_exact(rows)) {
            to.extend_from_slice(from);
        }
    }
    projections
}

/// The Wasserstein distance of two distributions on the line, each of as many points of equal weight.
fn wasserstein(first: &[f32], second: &[f32]) -> f64 {
    let sum: f64 = sorted(first)
        .zip(sorted(second))
        .map(|(first, second)| (f64::from(first) - f64::from(second)).abs())
        .sum();
    sum / first.len().max(1) as f64
}

/// The values in ascending order.
fn sorted(values: &[f32]) -> impl ExactSizeIterator<Item = f32> {
    // As whole numbers in the same order, since those are sorted three times as fast. The map is its own inverse.
    let turned = |bits: i32| bits ^ ((bits >> 31) as u32 >> 1) as i32;
    let mut keys: Vec<i32> = values.iter().map(|v| turned(v.to_bits() as i32)).collect();
    keys.sort_unstable();
    keys.into_iter()
        .map(move |key| f32::from_bits(turned(key) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUICK: SlicedWasserstein = SlicedWasserstein {
        seed: 1,
        patches: 32,
        directions: 140,
    };

    /// Images of waves; `kinds` directions of them take turns.
    fn waves(count: usize, kinds: usize, seed: u64) -> Pictures {
        let mut generator = random::generator(seed, b"waves", 0);
        let mut values = Vec::with_capacity(count * 3 * 1024);
        for image in 0..count {
            let angle = (image % kinds) as f64 * std::f64::consts::PI / 4.0;
            let (sine, cosine) = angle.sin_cos();
            let speed = 0.4 + random::unit(&mut generator);
            for channel in 0..3 {
                let phase = 6.0 * random::unit(&mut generator) + f64::from(channel);
                values.extend((0..1024).map(|i| {
                    let (x, y) = (f64::from(i % 32), f64::from(i / 32));
                    (0.5 * (speed * (cosine * x + sine * y) + phase).sin()) as f32
                }));
            }
        }
        Pictures::from_values([3, 32, 32], values)
    }

    fn changed(images: &Pictures, change: impl Fn(usize, f32) -> f32) -> Pictures {
        let values = images.values().iter().enumerate();
        Pictures::from_values(images.shape(), values.map(|(i, v)| change(i, *v)).collect())
    }

    /// Each pixel mixed with the one to its right and the one below.
    fn blurred(images: &Pictures) -> Pictures {
        let values = images.values();
        changed(images, |i, v| {
            let right = values[if i % 32 < 31 { i + 1 } else { i }];
            let below = values[if i / 32 % 32 < 31 { i + 32 } else { i }];
            0.5 * v + 0.25 * right + 0.25 * below
        })
    }

    fn distances(first: &Pictures, second: &Pictures) -> Vec<f64> {
        let levels = QUICK.between(first, second).unwrap();
        levels.iter().map(|level| level.distance).collect()
    }

    fn grows(real: &Pictures, worse: &[Pictures]) {
        let mut before = vec![0.0; 2];
        for images in worse {
            let now = distances(real, images);
            assert_eq!(now.len(), 2);
            assert!(
                now.iter().zip(&before).all(|(n, b)| *n > 1.05 * b),
                "{before:?} {now:?}"
            );
            before = now;
        }
    }

    #[test]
    fn levels_are_those_of_the_pyramid() {
        let images = waves(4, 4, 1);
        let levels = QUICK.between(&images, &waves(4, 4, 2)).unwrap();
        let sizes: Vec<_> = levels.iter().map(|l| (l.height, l.width)).collect();
        assert_eq!(sizes, [(32, 32), (16, 16)]);
        assert!(levels.iter().all(|l| l.distance > 0.0));
    }

    #[test]
    fn equal_sets_have_no_distance_and_others_the_same_in_both_directions() {
        let (first, second) = (waves(20, 4, 1), waves(20, 4, 2));
        assert_eq!(distances(&first, &first), [0.0, 0.0]);
        let there = distances(&first, &second);
        assert_eq!(there, distances(&second, &first));
        assert_eq!(there, distances(&first, &second));
        let other = SlicedWasserstein { seed: 2, ..QUICK };
        assert_ne!(
            there[0],
            other.between(&first, &second).unwrap()[0].distance
        );
    }

    #[test]
    fn the_order_of_images_does_not_matter() {
        let (first, second) = (waves(20, 4, 1), waves(20, 4, 2));
        let mut images: Vec<&[f32]> = second.iter().collect();
        images.rotate_left(7);
        images.swap(0, 3);
        let turned = Pictures::from_values(second.shape(), images.concat());
        for (one, other) in distances(&first, &second)
            .iter()
            .zip(distances(&first, &turned))
        {
            assert!((one - other).abs() < 1e-6 * one, "{one} {other}");
        }
        assert!(distances(&second, &turned).iter().all(|d| *d < 1e-6));
    }

    #[test]
    fn it_grows_with_blur() {
        let real = waves(40, 4, 1);
        let mut worse = vec![blurred(&real)];
        for _ in 0..3 {
            worse.push(blurred(worse.last().unwrap()));
        }
        grows(&real, &worse);
    }

    #[test]
    fn it_grows_with_noise() {
        let real = waves(40, 4, 1);
        let noise = random::normal(
            &mut random::generator(1, b"noise", 0),
            real.values().len(),
            1.0,
        );
        let noisy = |deviation: f32| changed(&real, |i, v| v + deviation * noise[i]);
        grows(&real, &[0.03, 0.1, 0.3, 1.0].map(noisy));
    }

    #[test]
    fn it_grows_as_kinds_of_images_go_missing() {
        let real = waves(400, 4, 1);
        grows(&real, &[4, 3, 2, 1].map(|kinds| waves(400, kinds, 2)));
    }

    #[test]
    fn it_does_not_see_brightness_and_contrast_of_a_whole_set() {
        let (real, other) = (waves(20, 4, 1), waves(20, 4, 2));
        let dim = changed(&other, |_, v| 0.25 * v - 0.5);
        for (one, other) in distances(&real, &other).iter().zip(distances(&real, &dim)) {
            assert!((one - other).abs() < 1e-3 * one, "{one} {other}");
        }
    }

    #[test]
    fn small_sets_have_the_distance_of_the_definition() {
        // 7 x 7 pixels: one patch an image, no pyramid.
        let images = |seed: u64| {
            let values = random::normal(&mut random::generator(seed, b"small", 0), 5 * 49, 0.5);
            Pictures::from_values([1, 7, 7], values)
        };
        let normalised = |images: &Pictures| -> Vec<f64> {
            let values: Vec<f64> = images.values().iter().map(|v| f64::from(*v)).collect();
            let mean = values.iter().sum::<f64>() / 245.0;
            let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 245.0;
            values.iter().map(|v| (v - mean) / square.sqrt()).collect()
        };
        let (first, second) = (images(1), images(2));
        let directions = QUICK.directions_of(0, 49);
        let mut sum = 0.0;
        for direction in directions.chunks(49) {
            let length: f64 = direction.iter().map(|v| f64::from(*v).powi(2)).sum();
            assert!((length - 1.0).abs() < 1e-6);
            let projected = |images: &Pictures| {
                let dot = |patch: &[f64]| -> f64 {
                    patch
                        .iter()
                        .zip(direction)
                        .map(|(p, d)| p * f64::from(*d))
                        .sum()
                };
                let mut values: Vec<f64> = normalised(images).chunks(49).map(dot).collect();
                values.sort_by(f64::total_cmp);
                values
            };
            let pairs = projected(&first).into_iter().zip(projected(&second));
            sum += pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / 5.0;
        }
        let expected = sum / 140.0;
        let found = QUICK.between(&first, &second).unwrap()[0].distance;
        assert!(
            (found - expected).abs() < 1e-6 * expected,
            "{found} {expected}"
        );
    }

    #[test]
    fn sets_that_cannot_be_compared_are_errors_that_say_why() {
        let flat = |shape, count| Pictures::from_values(shape, vec![0.5; count]);
        let error = |first: &Pictures, second: &Pictures| {
            QUICK.between(first, second).unwrap_err().to_string()
        };
        let (small, large) = (flat([1, 8, 8], 128), flat([1, 16, 8], 128));
        assert!(error(&small, &large).contains("[1, 8, 8] cannot be compared"));
        assert!(error(&small, &flat([1, 8, 8], 64)).starts_with("2 images"));
        assert!(error(&flat([1, 8, 8], 0), &flat([1, 8, 8], 0)).contains("at least one"));
        assert!(error(&flat([1, 6, 8], 96), &flat([1, 6, 8], 96)).contains("smaller"));
        let broken = changed(&small, |i, v| if i == 70 { f32::NAN } else { v });
        assert!(error(&small, &broken).starts_with("image 1 of the second set"));
        for (patches, directions) in [(0, 1), (1, 0)] {
            let nothing = SlicedWasserstein {
                seed: 0,
                patches,
                directions,
            };
            assert_eq!(nothing.between(&small, &small), Err(DistanceError::Nothing));
        }
        // Images without any detail are no error.
        assert_eq!(QUICK.between(&small, &small).unwrap()[0].distance, 0.0);
    }

    proptest! {
        #[test]
        fn values_are_sorted(values in prop::collection::vec(prop_oneof![-1e30f32..1e30, -1f32..1.0, -1e-40f32..1e-40], 0..300)) {
            let found: Vec<f32> = sorted(&values).collect();
            let mut expected = values;
            expected.sort_by(f32::total_cmp);
            prop_assert_eq!(found, expected);
        }
    }
}
