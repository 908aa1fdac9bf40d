//! Images split into details of different sizes.

/// One plane of pixels, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

/// The shortest side that a level may have that is not the images' own.
const SHORTEST: usize = 16;

/// Sizes of the levels of images of this size, from the images' own down: halved as long as both sides are even and
/// stay at least 16.
pub(super) fn sizes(height: usize, width: usize) -> Vec<[usize; 2]> {
    let halved = |[height, width]: &[usize; 2]| {
        let even = height % 2 == 0 && width % 2 == 0;
        (even && height.min(width) / 2 >= SHORTEST).then_some([height / 2, width / 2])
    };
    std::iter::successors(Some([height, width]), halved).collect()
}

/// The Laplacian pyramid of a plane: at each level what the next one does not hold, and at the last what is left. The
/// sum of all levels, each enlarged to the next larger one, is the plane.
///
/// P. J. Burt, E. H. Adelson: The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31, 1983.
pub(super) fn laplacian(plane: Plane) -> Vec<Plane> {
    let mut levels = Vec::new();
    let mut rest = plane;
    for _ in 1..sizes(rest.height, rest.width).len() {
        let smaller = rest.halved();
        let coarse = smaller.doubled();
        for (value, coarse) in rest.values.iter_mut().zip(&coarse.values) {
            *value -= coarse;
        }
        levels.push(rest);
        rest = smaller;
    }
    levels.push(rest);
    levels
}

/// The binomial filter of five pixels.
const FILTER: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

impl Plane {
    /// Smoothed, and every second pixel of every second row kept. Sides must be even.
    fn halved(&self) -> Self {
        let smooth = self.filtered();
        let (height, width) = (self.height / 2, self.width / 2);
        let values = (0..height * width)
            .map(|i| smooth.values[i / width * 2 * self.width + i % width * 2])
            .collect();
        Self {
            height,
            width,
            values,
        }
    }

    /// Spread over four times as many pixels with zeros between, and smoothed.
    fn doubled(&self) -> Self {
        let (height, width) = (2 * self.height, 2 * self.width);
        let mut values = vec![0.0; height * width];
        for (i, value) in self.values.iter().enumerate() {
            values[i / self.width * 2 * width + i % self.width * 2] = 4.0 * value;
        }
        let spread = Self {
            height,
            width,
            values,
        };
        spread.filtered()
    }

    /// Smoothed along both sides, as if mirrored at its outermost pixels.
    fn filtered(&self) -> Self {
        let (height, width) = (self.height, self.width);
        let mut across = vec![0.0; height * width];
        let mut values = vec![0.0; height * width];
        for (tap, weight) in FILTER.iter().enumerate() {
            for y in 0..height {
                for x in 0..width {
                    across[y * width + x] +=
                        weight * self.values[y * width + mirrored(x + tap, width)];
                }
            }
        }
        for (tap, weight) in FILTER.iter().enumerate() {
            for y in 0..height {
                let from = mirrored(y + tap, height) * width;
                for x in 0..width {
                    values[y * width + x] += weight * across[from + x];
                }
            }
        }
        Self {
            height,
            width,
            values,
        }
    }
}

/// The pixel that is seen at `place` - 2 of a row of `side` pixels and their mirror images.
fn mirrored(place: usize, side: usize) -> usize {
    let last = side - 1;
    let place = place.abs_diff(2);
    last.abs_diff(last.abs_diff(place).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_end_at_16() {
        assert_eq!(sizes(32, 32), [[32, 32], [16, 16]]);
        assert_eq!(sizes(128, 64), [[128, 64], [64, 32], [32, 16]]);
        for (height, width) in [(28, 28), (8, 8), (31, 32), (16, 16), (33, 33)] {
            assert_eq!(sizes(height, width), [[height, width]]);
        }
    }

    #[test]
    fn rows_are_mirrored_at_their_outermost_pixels() {
        let seen = |side| (0..side + 4).map(move |place| mirrored(place, side));
        assert!(seen(5).eq([2, 1, 0, 1, 2, 3, 4, 3, 2]));
        assert!(seen(3).eq([2, 1, 0, 1, 2, 1, 0]));
    }

    #[test]
    fn a_flat_plane_has_no_details() {
        let flat = Plane {
            height: 64,
            width: 32,
            values: vec![0.75; 64 * 32],
        };
        let levels = laplacian(flat);
        assert_eq!(levels.len(), 2);
        assert!(levels[0].values.iter().all(|v| v.abs() < 1e-6));
        assert!(levels[1].values.iter().all(|v| (v - 0.75).abs() < 1e-6));
    }

    proptest! {
        #[test]
        fn the_levels_sum_to_the_plane(speed in 0.1f32..3.0, height in 1usize..4, width in 1usize..4) {
            let (height, width) = (32 * height, 32 * width);
            let values: Vec<f32> = (0..height * width).map(|i| (i as f32 * speed).sin()).collect();
            let plane = Plane { height, width, values };
            let mut levels = laplacian(plane.clone()).into_iter().rev();
            let smallest = levels.next().unwrap();
            let sum = levels.fold(smallest, |sum, mut level| {
                let coarse = sum.doubled();
                level.values.iter_mut().zip(&coarse.values).for_each(|(v, c)| *v += c);
                level
            });
            prop_assert_eq!((sum.height, sum.width), (height, width));
            for (sum, value) in sum.values.iter().zip(&plane.values) {
                prop_assert!((sum - value).abs() < 1e-6);
            }
        }
    }
}
