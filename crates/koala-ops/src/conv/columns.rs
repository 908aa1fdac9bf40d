//! Convolution as products of matrices: what every output meets is written out as a column, a tile at a time.

use std::ops::Range;

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::kernel::{
    Matrix, MatrixMut, Plane, Store, Threads, add, gather, multiply, scatter, with_scratch,
};

/// Elements of a tile's columns: half a MiB, which a core's cache holds.
const TILE: usize = 128 * 1024;
/// Columns of a tile below which a product is slow.
const FEW: usize = 256;
/// Elements that partial sums of weights may take: 16 MiB.
const SUMS: usize = 4 * 1024 * 1024;

/// Some rows of some images.
#[derive(Clone)]
struct Tile {
    images: Range<usize>,
    rows: Range<usize>,
}

/// The cut of a batch into tiles. It depends on sizes alone.
#[derive(Clone, Copy)]
struct Tiling {
    /// Whole images of a tile, or one of which each tile has some rows.
    images: usize,
    rows: usize,
}

impl Tiling {
    fn of(geometry: &Geometry) -> Self {
        let [height, width] = geometry.out;
        let pixels = height * width;
        if pixels < FEW {
            let images = FEW.div_ceil(pixels.max(1)).min(geometry.images.max(1));
            return Self {
                images,
                rows: height,
            };
        }
        let rows = TILE / (geometry.taps() * width);
        Self {
            images: 1,
            rows: rows.max(FEW / 2 / width).clamp(1, height),
        }
    }

    /// The tiles of a group of images.
    fn tiles(self, geometry: &Geometry, images: Range<usize>) -> impl Iterator<Item = Tile> {
        let height = geometry.out[0];
        let starts = (0..height).step_by(self.rows);
        starts.map(move |start| Tile {
            images: images.clone(),
            rows: start..(start + self.rows).min(height),
        })
    }

    /// The columns of its largest tile.
    fn columns(self, geometry: &Geometry) -> usize {
        self.images * self.rows * geometry.out[1]
    }
}

impl Tile {
    fn columns(&self, geometry: &Geometry) -> usize {
        self.images.len() * self.rows.len() * geometry.out[1]
    }

    /// Does `work` with each run of elements that one tap of one image takes: its place among the columns, channel and tap.
    fn each(
        &self,
        geometry: &Geometry,
        mut work: impl FnMut(Range<usize>, usize, usize, [usize; 2]),
    ) {
        let run = self.rows.len() * geometry.out[1];
        let mut start = 0;
        for channel in 0..geometry.inputs {
            for row in 0..geometry.kernel[0] {
                for column in 0..geometry.kernel[1] {
                    for image in self.images.clone() {
                        work(start..start + run, image, channel, [row, column]);
                        start += run;
                    }
                }
            }
        }
    }

    /// Writes the columns, `[taps, columns]`.
    fn gather(&self, geometry: &Geometry, input: &[f32], columns: &mut [f32]) {
        let plane = plane(geometry);
        let pixels = geometry.input_pixels();
        self.each(geometry, |place, image, channel, tap| {
            let from = &input[(image * geometry.inputs + channel) * pixels..][..pixels];
            gather(plane, from, tap, self.rows.clone(), &mut columns[place]);
        });
    }

    /// The transpose of [`gather`](Self::gather), onto the images of the tile alone.
    fn scatter(&self, geometry: &Geometry, columns: &[f32], images: &mut [f32]) {
        let plane = plane(geometry);
        let pixels = geometry.input_pixels();
        self.each(geometry, |place, image, channel, tap| {
            let image = image - self.images.start;
            let into = &mut images[(image * geometry.inputs + channel) * pixels..][..pixels];
            scatter(plane, &columns[place], tap, self.rows.clone(), into);
        });
    }

    /// The part of a tensor of outputs that belongs to the tile, `[outputs, columns]`: where it lies, or copied to `room` if it is
    /// of several images.
    fn outputs<'a>(&self, geometry: &Geometry, all: &'a [f32], room: &'a mut [f32]) -> Matrix<'a> {
        let (pixels, width) = (geometry.output_pixels(), geometry.out[1]);
        let columns = self.columns(geometry);
        let from = &all[self.images.start * geometry.output_elements()..];
        if self.images.len() == 1 {
            let from = &from[self.rows.start * width..];
            return Matrix::strided(from, geometry.outputs, columns, pixels);
        }
        for output in 0..geometry.outputs {
            for image in 0..self.images.len() {
                let from = &from[(image * geometry.outputs + output) * pixels..][..pixels];
                room[output * columns + image * pixels..][..pixels].copy_from_slice(from);
            }
        }
        Matrix::new(
            &room[..geometry.outputs * columns],
            geometry.outputs,
            columns,
        )
    }
}

fn plane(geometry: &Geometry) -> Plane {
    Plane {
        size: geometry.size,
        stride: geometry.stride,
        padding: geometry.padding,
        out_width: geometry.out[1],
    }
}

/// The weights as `[outputs, taps]`.
fn matrix<'a>(geometry: &Geometry, weight: &'a [f32]) -> Matrix<'a> {
    Matrix::new(weight, geometry.outputs, geometry.taps())
}

/// What the convolution of the images is, `[images, outputs, height, width]`.
pub(super) fn forward(geometry: &Geometry, input: &[f32], weight: &[f32]) -> Vec<f32> {
    let tiling = Tiling::of(geometry);
    let mut results = vec![0.0; geometry.images * geometry.output_elements()];
    let weight = matrix(geometry, weight);
    let product = |tile: Tile, target: &mut MatrixMut<'_>| {
        with_scratch(geometry.taps() * tile.columns(geometry), |columns| {
            tile.gather(geometry, input, columns);
            let columns = Matrix::new(columns, geometry.taps(), tile.columns(geometry));
            multiply(target, Store::Set, weight, columns, Threads::One);
        });
    };
    let groups = results.par_chunks_mut(tiling.images * geometry.output_elements());
    groups.enumerate().for_each(|(group, results)| {
        let start = group * tiling.images;
        let images = start..(start + tiling.images).min(geometry.images);
        if tiling.images > 1 {
            for tile in tiling.tiles(geometry, images) {
                let mut room = vec![0.0; results.len()];
                let columns = tile.columns(geometry);
                product(
                    tile,
                    &mut MatrixMut::new(&mut room, geometry.outputs, columns),
                );
                deal(geometry, &room, results);
            }
            return;
        }
        let all = MatrixMut::new(results, geometry.outputs, geometry.output_pixels());
        let parts = all.column_parts(tiling.rows * geometry.out[1]);
        let tiles: Vec<Tile> = tiling.tiles(geometry, images).collect();
        let tiles = tiles.into_par_iter().zip(parts);
        tiles.for_each(|(tile, mut part)| product(tile, &mut part));
    });
    results
}

/// The results of several images, `[outputs, images, pixels]`, in the order of a tensor.
fn deal(geometry: &Geometry, from: &[f32], into: &mut [f32]) {
    let pixels = geometry.output_pixels();
    let images = into.len() / geometry.output_elements();
    for (place, into) in into.chunks_exact_mut(pixels).enumerate() {
        let (image, output) = (place / geometry.outputs, place % geometry.outputs);
        into.copy_from_slice(&from[(output * images + image) * pixels..][..pixels]);
    }
}

/// The gradient of the images from that of the results.
pub(super) fn input_gradient(geometry: &Geometry, upstream: &[f32], weight: &[f32]) -> Vec<f32> {
    let tiling = Tiling::of(geometry);
    let mut gradient = vec![0.0; geometry.images * geometry.input_elements()];
    let weight = matrix(geometry, weight).transposed();
    let most = tiling.columns(geometry);
    let groups = gradient.par_chunks_mut(tiling.images * geometry.input_elements());
    groups.enumerate().for_each(|(group, gradient)| {
        let start = group * tiling.images;
        let images = start..(start + tiling.images).min(geometry.images);
        with_scratch((geometry.taps() + geometry.outputs) * most, |scratch| {
            let (columns, room) = scratch.split_at_mut(geometry.taps() * most);
            for tile in tiling.tiles(geometry, images) {
                let count = tile.columns(geometry);
                let columns = &mut columns[..geometry.taps() * count];
                multiply(
                    &mut MatrixMut::new(columns, geometry.taps(), count),
                    Store::Set,
                    weight,
                    tile.outputs(geometry, upstream, room),
                    Threads::One,
                );
                tile.scatter(geometry, columns, gradient);
            }
        });
    });
    gradient
}

/// The gradient of the weights from that of the results.
pub(super) fn weight_gradient(geometry: &Geometry, upstream: &[f32], input: &[f32]) -> Vec<f32> {
    let tiling = Tiling::of(geometry);
    let groups = geometry.images.div_ceil(tiling.images);
    let weights = geometry.weights();
    let parts = (SUMS / weights).clamp(2, 16).min(groups);
    let groups_a_part = groups.div_ceil(parts);
    let most = tiling.columns(geometry);
    let mut sums = vec![0.0; groups.div_ceil(groups_a_part) * weights];
    sums.par_chunks_mut(weights)
        .enumerate()
        .for_each(|(part, sum)| {
            with_scratch((geometry.taps() + geometry.outputs) * most, |scratch| {
                let (columns, room) = scratch.split_at_mut(geometry.taps() * most);
                let mut store = Store::Set;
                for group in part * groups_a_part..((part + 1) * groups_a_part).min(groups) {
                    let start = group * tiling.images;
                    let images = start..(start + tiling.images).min(geometry.images);
                    for tile in tiling.tiles(geometry, images) {
                        let count = tile.columns(geometry);
                        let columns = &mut columns[..geometry.taps() * count];
                        tile.gather(geometry, input, columns);
                        multiply(
                            &mut MatrixMut::new(sum, geometry.outputs, geometry.taps()),
                            store,
                            tile.outputs(geometry, upstream, room),
                            Matrix::new(columns, geometry.taps(), count).transposed(),
                            Threads::One,
                        );
                        store = Store::Add;
                    }
                }
            });
        });
    total(sums, weights)
}

/// The sum of parts of so many elements, added in order.
pub(super) fn total(mut parts: Vec<f32>, elements: usize) -> Vec<f32> {
    let (first, others) = parts.split_at_mut(elements);
    let chunk = crate::kernel::CHUNK;
    first
        .par_chunks_mut(chunk)
        .enumerate()
        .for_each(|(place, first)| {
            for other in others.chunks_exact(elements) {
                add(first, &other[place * chunk..][..first.len()]);
            }
        });
    parts.truncate(elements);
    parts
}
