//! Convolution of kernels of 3 x 3 and stride 1 by Winograd's minimal filtering: tiles of 2 x 2 results from 16 products a channel
//! instead of 36.
//!
//! Rows of tiles follow each other through all images, and are cut into groups of at most [`TILES`] tiles. Results are as exact as
//! those of the plain sum, whose sums are nine times as long; what is infinite or not a number spreads over its tile.

use std::ops::Range;

use rayon::prelude::*;

use super::columns::total;
use super::geometry::Geometry;
use crate::kernel::{
    BLOCK, Lines, Matrix, MatrixMut, PLACES, Patches, Results, Store, TILES, Threads, correlate,
    gather_kernels, multiply, rows_a_chunk, transform_kernels, with_scratch,
};

/// Channels below which the transforms are not worth it.
const CHANNELS: usize = 16;
/// Elements of transformed tiles that the gradient of the weights goes through at once: 4 MiB for all threads, which one keeps, or
/// a quarter of it for each.
const MOST: usize = 1024 * 1024;
/// Elements of the sums of all parts of the images, at most: 4 MiB.
const SUMS: usize = 1024 * 1024;
/// Parts that are worth sums of their own, at least and at most.
const PARTS: [usize; 2] = [8, 16];

/// A convolution that is computed so.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    geometry: Geometry,
    /// Tiles of an image, down and across.
    tiles: [usize; 2],
    /// Rows of tiles of a group.
    group: usize,
}

/// Some rows of tiles of one image.
#[derive(Clone)]
struct Strip {
    image: usize,
    rows: Range<usize>,
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

    fn groups(&self) -> usize {
        (self.geometry.images * self.tiles[0]).div_ceil(self.group)
    }

    /// The strips of an image, by group.
    fn strips(&self, image: usize) -> impl Iterator<Item = (usize, Strip)> + use<> {
        let (rows, group) = (self.tiles[0], self.group);
        let mut row = 0;
        std::iter::from_fn(move || {
            let place = image * rows + row;
            let start = row;
            row = (start + group - place % group).min(rows);
            let strip = Strip {
                image,
                rows: start..row,
            };
            (start < rows).then_some((place / group, strip))
        })
    }

    /// The strips of some groups.
    fn strips_of(&self, groups: Range<usize>) -> Vec<Vec<Strip>> {
        let mut strips = vec![Vec::new(); groups.len()];
        let first = groups.start * self.group / self.tiles[0];
        let last = (groups.end * self.group).div_ceil(self.tiles[0]);
        for image in first..last.min(self.geometry.images) {
            for (group, strip) in self.strips(image) {
                if groups.contains(&group) {
                    strips[group - groups.start].push(strip);
                }
            }
        }
        strips
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

    /// What the convolution of the images is.
    pub fn forward(&self, input: &[f32], weight: &[f32]) -> Vec<f32> {
        let inputs = self.geometry.inputs;
        self.convolve(input, |output, channel, tap| {
            weight[(output * inputs + channel) * 9 + tap]
        })
    }

    /// The gradient of the images from that of the results.
    pub fn input_gradient(&self, upstream: &[f32], weight: &[f32]) -> Option<Vec<f32>> {
        let inputs = self.geometry.inputs;
        // The kernel is turned by half a circle.
        Some(
            self.transposed()?
                .convolve(upstream, |output, channel, tap| {
                    weight[(channel * inputs + output) * 9 + 8 - tap]
                }),
        )
    }

    /// The kernels' transforms, of a block of outputs after the other, `[places, channels, BLOCK]`.
    fn kernels(&self, weight: impl Fn(usize, usize, usize) -> f32 + Sync) -> Vec<f32> {
        let Geometry {
            inputs, outputs, ..
        } = self.geometry;
        let block = PLACES * inputs * BLOCK;
        let mut packed = vec![0.0; outputs.div_ceil(BLOCK) * block];
        packed
            .par_chunks_mut(block)
            .with_min_len(rows_a_chunk(block))
            .enumerate()
            .for_each(|(place, packed)| {
                for channel in 0..inputs {
                    let mut kernels = [[0.0; BLOCK]; 9];
                    for (at, output) in (place * BLOCK..outputs).take(BLOCK).enumerate() {
                        for (tap, kernels) in kernels.iter_mut().enumerate() {
                            kernels[at] = weight(output, channel, tap);
                        }
                    }
                    transform_kernels(&kernels, |place, values| {
                        packed[(place * inputs + channel) * BLOCK..][..BLOCK]
                            .copy_from_slice(&values);
                    });
                }
            });
        packed
    }

    /// The convolution with the weight of each output, channel and tap.
    fn convolve(
        &self,
        input: &[f32],
        weight: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Vec<f32> {
        let Geometry {
            images,
            inputs,
            outputs,
            out: [height, width],
            ..
        } = self.geometry;
        let kernels = self.kernels(weight);
        let mut results = vec![0.0; images * self.geometry.output_elements()];

        let mut groups: Vec<Vec<(Strip, MatrixMut<'_>)>> = Vec::new();
        groups.resize_with(self.groups(), Vec::new);
        let of_images = results.chunks_exact_mut(self.geometry.output_elements());
        for (image, results) in of_images.enumerate() {
            let mut rest = MatrixMut::new(results, outputs, height * width);
            for (group, strip) in self.strips(image) {
                let rows = (2 * strip.rows.end).min(height) - 2 * strip.rows.start;
                let (part, others) = rest.split_columns(rows * width);
                groups[group].push((strip, part));
                rest = others;
            }
        }

        groups.into_par_iter().for_each(|mut group| {
            let lines = inputs * TILES;
            with_scratch(PLACES * (lines + BLOCK * TILES), |scratch| {
                let (transformed, products) = scratch.split_at_mut(PLACES * lines);
                let mut patches = self.patches();
                for channel in 0..inputs {
                    let strips = group.iter().map(|(strip, _)| strip);
                    let into = &mut transformed[channel * TILES..];
                    self.transform(strips, input, channel, &mut patches, into, lines);
                }
                for (place, kernels) in kernels.chunks_exact(PLACES * inputs * BLOCK).enumerate() {
                    let kernels = kernels.chunks_exact(inputs * BLOCK);
                    let transformed = transformed.chunks_exact(lines);
                    let products_of = products.chunks_exact_mut(BLOCK * TILES);
                    for ((values, weights), into) in transformed.zip(kernels).zip(products_of) {
                        let source = Lines {
                            values,
                            pitch: TILES,
                        };
                        correlate(source, &[0], weights, into);
                    }
                    self.give(place * BLOCK, products, &mut group);
                }
            });
        });
        results
    }

    /// Writes the results of a block of outputs into the parts of a group.
    fn give(&self, first: usize, products: &[f32], group: &mut [(Strip, MatrixMut<'_>)]) {
        let width = self.geometry.out[1];
        let mut results = Results::new();
        for (at, output) in (first..self.geometry.outputs).take(BLOCK).enumerate() {
            results.transform(&products[at * TILES..], BLOCK * TILES);
            let mut tile = 0;
            for (_, part) in &mut *group {
                for rows in part.row(output).chunks_mut(2 * width) {
                    results.give(tile, rows.chunks_exact_mut(width));
                    tile += self.tiles[1];
                }
            }
        }
    }

    /// The gradient of the weights from that of the results.
    pub fn weight_gradient(&self, upstream: &[f32], input: &[f32]) -> Vec<f32> {
        let Geometry {
            inputs, outputs, ..
        } = self.geometry;
        let weights = PLACES * outputs * inputs;
        let groups = self.groups();
        let [fewest, most] = PARTS;
        let parts = (SUMS / weights).min(most).min(groups);
        // Where sums are small, each part of the groups has its own and one thread, so that none waits for another before the end; else
        // threads share channels and places.
        let (parts, threads) = if parts >= fewest {
            (parts, Threads::One)
        } else {
            (1, Threads::All)
        };
        let of_part = groups.div_ceil(parts);
        let mut sums = vec![0.0; groups.div_ceil(of_part) * weights];
        sums.par_chunks_exact_mut(weights)
            .enumerate()
            .for_each(|(part, sums)| {
                let groups = part * of_part..((part + 1) * of_part).min(groups);
                self.weight_sums(upstream, input, groups, sums, threads);
            });
        let sums = total(sums, weights);

        let mut gradient = vec![0.0; self.geometry.weights()];
        let rows = gradient.par_chunks_exact_mut(inputs * 9);
        let rows = rows.with_min_len(rows_a_chunk(inputs * PLACES));
        rows.enumerate().for_each(|(output, into)| {
            let place = |place| &sums[(place * outputs + output) * inputs..][..inputs];
            gather_kernels(std::array::from_fn(place), into);
        });
        gradient
    }

    /// Adds up the products of some groups' tiles, `[places, outputs, inputs]`, as many groups at once as fit a cache.
    fn weight_sums(
        &self,
        upstream: &[f32],
        input: &[f32],
        groups: Range<usize>,
        sums: &mut [f32],
        threads: Threads,
    ) {
        let Geometry {
            inputs, outputs, ..
        } = self.geometry;
        let lines = inputs + outputs;
        let most = match threads {
            Threads::One => MOST / 4,
            Threads::All => MOST,
        };
        let at_once = (most / (PLACES * TILES * lines)).clamp(1, groups.len());
        let line = at_once * TILES;
        with_scratch(PLACES * line * lines, |transformed| {
            for start in groups.clone().step_by(at_once) {
                let strips = self.strips_of(start..(start + at_once).min(groups.end));
                let columns = strips.len() * TILES;
                let transform = |channel, into: &mut [f32]| {
                    let mut patches = self.patches();
                    for (strips, at) in strips.iter().zip((0..).step_by(TILES)) {
                        let into = &mut into[at..];
                        match usize::checked_sub(channel, inputs) {
                            None => {
                                let strips = strips.iter();
                                self.transform(strips, input, channel, &mut patches, into, line);
                            }
                            Some(output) => {
                                self.transform_gradients(strips, upstream, output, into, line);
                            }
                        }
                    }
                };
                each(transformed, PLACES * line, threads, transform);
                let (images, gradients) = transformed.split_at(PLACES * line * inputs);
                let store = if start == groups.start {
                    Store::Set
                } else {
                    Store::Add
                };
                each(sums, outputs * inputs, threads, |place, sums| {
                    let [images, gradients] =
                        [(images, inputs), (gradients, outputs)].map(|(lines, rows)| {
                            Matrix::strided(&lines[place * line..], rows, columns, PLACES * line)
                        });
                    let mut sums = MatrixMut::new(sums, outputs, inputs);
                    multiply(
                        &mut sums,
                        store,
                        gradients,
                        images.transposed(),
                        Threads::One,
                    );
                });
            }
        });
    }

    /// [`transform`](Self::transform) of the gradients of an output's results.
    fn transform_gradients(
        &self,
        strips: &[Strip],
        upstream: &[f32],
        output: usize,
        into: &mut [f32],
        pitch: usize,
    ) {
        let width = self.geometry.out[1];
        let pixels = self.geometry.output_pixels();
        let mut gradients = Results::new();
        let mut at = 0;
        for Strip { image, rows } in strips {
            let plane = &upstream[(image * self.geometry.outputs + output) * pixels..][..pixels];
            let pairs = plane.chunks(2 * width);
            for rows in pairs.skip(rows.start).take(rows.len()) {
                gradients.take(at, self.tiles[1], rows.chunks_exact(width));
                at += self.tiles[1];
            }
        }
        gradients.clear_from(at);
        gradients.transform_back(into, pitch);
    }
}

/// Does `work` with the number of each part of so many elements.
fn each(
    values: &mut [f32],
    part: usize,
    threads: Threads,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    match threads {
        Threads::One => values
            .chunks_exact_mut(part)
            .enumerate()
            .for_each(|(number, part)| work(number, part)),
        Threads::All => values
            .par_chunks_exact_mut(part)
            .enumerate()
            .for_each(|(number, part)| work(number, part)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conv::direct::Direct;
    use burn::tensor::ops::ConvOptions;

    fn geometry(images: usize, channels: [usize; 2], size: [usize; 2]) -> Geometry {
        let [inputs, outputs] = channels;
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        Geometry::new(
            [images, inputs, size[0], size[1]],
            [outputs, inputs, 3, 3],
            &options,
        )
        .unwrap()
    }

    /// Layers of residual networks are computed so; few channels, wide images and what leaves most tiles of a group empty are not.
    #[test]
    fn what_is_worth_it_is_computed_so() {
        let chosen = |images, channels, size| Winograd::of(&geometry(images, channels, size));
        for (channels, side) in [(16, 32), (32, 16), (64, 8), (64, 32), (256, 8), (512, 4)] {
            assert!(
                chosen(32, [channels; 2], [side; 2]).is_some(),
                "{channels} channels of {side}"
            );
        }
        assert!(chosen(32, [3, 64], [32, 32]).is_none());
        assert!(chosen(32, [64, 10], [32, 32]).is_none());
        assert!(chosen(1, [64, 64], [200, 200]).is_none());
        assert!(chosen(1, [512, 512], [4, 4]).is_none());
        assert!(chosen(32, [64, 64], [1, 1]).is_none());
    }

    /// All rows of tiles of all images come in one group each, in order, and no group has more than it can.
    #[test]
    fn strips_cover_all_rows_once() {
        for (images, size) in [(1, [32, 32]), (7, [5, 9]), (33, [8, 8]), (20, [4, 4])] {
            let geometry = geometry(images, [16, 16], size);
            let tiles = size.map(|size| size.div_ceil(2));
            let winograd = Winograd {
                geometry,
                tiles,
                group: TILES / tiles[1],
            };
            let groups = winograd.strips_of(0..winograd.groups());
            let mut rows = Vec::new();
            for (number, strips) in groups.iter().enumerate() {
                let of_group: usize = strips.iter().map(|strip| strip.rows.len()).sum();
                assert!(of_group > 0 && of_group <= winograd.group);
                assert_eq!(
                    winograd.strips_of(number..number + 1)[0].len(),
                    strips.len()
                );
                for strip in strips {
                    rows.extend(strip.rows.clone().map(|row| (strip.image, row)));
                }
            }
            let all = (0..images).flat_map(|image| (0..tiles[0]).map(move |row| (image, row)));
            assert!(rows.into_iter().eq(all));
        }
    }

    /// Tiles that a group lacks are zeros, whatever stood in the memory that is lent for it.
    #[test]
    fn what_stood_in_memory_does_not_matter() {
        let geometry = geometry(5, [16, 16], [9, 9]);
        let values: Vec<f32> = (0..geometry.images * geometry.input_elements())
            .map(|place| (place % 17) as f32 - 8.0)
            .collect();
        let weight = &values[..geometry.weights()];
        let winograd = Winograd::of(&geometry).unwrap();
        let computed = |stood: f32| {
            with_scratch(1 << 20, |memory| memory.fill(stood));
            let forward = winograd.forward(&values, weight);
            with_scratch(1 << 20, |memory| memory.fill(stood));
            (forward, winograd.weight_gradient(&values, &values))
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let (zeros, others) = pool
            .unwrap()
            .install(|| (computed(0.0), computed(f32::NAN)));
        assert_eq!(zeros, others);
    }

    /// How far results are from the exact ones, as a share of the sum of the products' sizes, beside those of the plain sum.
    #[test]
    fn results_are_as_exact_as_is_said() {
        let geometry = geometry(2, [64, 16], [16, 16]);
        let mut state = 1u64;
        let mut made = |elements: usize| -> Vec<f32> {
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
            };
            (0..elements).map(|_| next()).collect()
        };
        let input = made(geometry.images * geometry.input_elements());
        let weight = made(geometry.weights());
        let winograd = Winograd::of(&geometry).unwrap().forward(&input, &weight);
        let direct = Direct::of(&geometry).unwrap().forward(&input, &weight);
        let mut worst = [0.0f64; 2];
        let at = |image: usize, channel: usize, row: isize, column: isize| -> f64 {
            if (0..16).contains(&row) && (0..16).contains(&column) {
                let place = (image * 64 + channel) * 256 + row as usize * 16 + column as usize;
                f64::from(input[place])
            } else {
                0.0
            }
        };
        for (place, (winograd, direct)) in winograd.iter().zip(&direct).enumerate() {
            let (image, output) = (place / 256 / 16, place / 256 % 16);
            let (row, column) = (place % 256 / 16, place % 16);
            let (mut exact, mut size) = (0.0, 0.0);
            for channel in 0..64 {
                for tap in 0..9 {
                    let weight = f64::from(weight[(output * 64 + channel) * 9 + tap]);
                    let (row, column) = (row + tap / 3, column + tap % 3);
                    let value = at(image, channel, row as isize - 1, column as isize - 1);
                    exact += weight * value;
                    size += (weight * value).abs();
                }
            }
            for (worst, found) in worst.iter_mut().zip([winograd, direct]) {
                *worst = worst.max((f64::from(*found) - exact).abs() / size);
            }
        }
        println!("Winograd {:.1e}, direct {:.1e}", worst[0], worst[1]);
        assert!(worst[0] < 1e-7, "{worst:?}");
    }
}
