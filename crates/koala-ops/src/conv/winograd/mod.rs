//! Convolution of kernels of 3 x 3 and stride 1 by Winograd's minimal filtering: tiles of 2 x 2 results from 16 products a channel
//! instead of 36.
//!
//! Rows of tiles follow each other through all images, and are cut into groups of at most [`TILES`] tiles. Results are as exact as
//! those of the plain sum, whose sums are nine times as long; what is infinite or not a number spreads over its tile.

mod convolve;
mod strips;
#[cfg(test)]
mod tests;
mod weight_gradient;

use super::geometry::Geometry;
use crate::kernel::{PLACES, Patches, TILES};
use strips::Strip;

/// Channels below which the transforms are not worth it.
const CHANNELS: usize = 16;

/// A convolution that is computed so.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    geometry: Geometry,
    /// Tiles of an image, down and across.
    tiles: [usize; 2],
    /// Rows of tiles of a group.
    group: usize,
}

impl Winograd {
    /// `None` if the convolution is better computed otherwise.
    pub fn of(geometry: &Geometry) -> Option<Self> {
        let padding = geometry.padding.into_iter().chain(geometry.padding_after());
        let fits = geometry.kernel == [3, 3]
            && geometry.stride == [1, 1]
            && padding.max() < Some(3)
            && geometry.inputs.min(geometry.outputs) >= CHANNELS;
        let tiles = geometry.out.map(|size| size.div_ceil(2));
        if !fits || tiles[1] > TILES {
            return None;
        }
        let winograd = Self {
            geometry: *geometry,
            tiles,
            group: TILES / tiles[1],
        };
        let computed = winograd.groups() * TILES * 4;
        let used = geometry.images * geometry.output_pixels();
        (used as f64 > 0.6 * computed as f64).then_some(winograd)
    }

    /// The one whose results are the gradient of this one's images.
    fn transposed(&self) -> Option<Self> {
        Self::of(&self.geometry.transposed())
    }

    fn patches(&self) -> Patches {
        Patches::new(self.tiles[1], self.geometry.padding[1])
    }

    /// Writes what the transform makes of a channel's tiles of a group: their 16 elements, each `pitch` elements after the one before.
    fn transform<'a>(
        &self,
        strips: impl Iterator<Item = &'a Strip>,
        images: &[f32],
        channel: usize,
        patches: &mut Patches,
        into: &mut [f32],
        pitch: usize,
    ) {
        let Geometry {
            inputs,
            size: [height, width],
            padding: [top, _],
            ..
        } = self.geometry;
        let mut at = 0;
        for Strip { image, rows } in strips {
            let plane = &images[(image * inputs + channel) * height * width..][..height * width];
            patches.take((2 * rows.start..2 * rows.end + 2).map(|row| {
                let row = row.checked_sub(top).filter(|row| *row < height)?;
                Some(&plane[row * width..][..width])
            }));
            let tiles = rows.len() * self.tiles[1];
            patches.transform(tiles, &mut into[at..], pitch);
            at += tiles;
        }
        if at < TILES {
            for into in into.chunks_mut(pitch).take(PLACES) {
                into[at..TILES].fill(0.0);
            }
        }
    }
}
