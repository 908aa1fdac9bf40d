//! The gradient of the weights.

use std::ops::Range;

use rayon::prelude::*;

use super::{Strip, Winograd};
use crate::conv::columns::total;
use crate::conv::geometry::Geometry;
use crate::kernel::{
    Matrix, MatrixMut, PLACES, Results, Store, TILES, Threads, gather_kernels, multiply,
    rows_a_chunk, with_scratch,
};

/// Elements of transformed tiles that the gradient of the weights goes through at once: 4 MiB for all threads, which one keeps, or
/// a quarter of it for each.
const MOST: usize = 1024 * 1024;
/// Elements of the sums of all parts of the images, at most: 4 MiB.
const SUMS: usize = 1024 * 1024;
/// Parts that are worth sums of their own, at least and at most.
const PARTS: [usize; 2] = [8, 16];

impl Winograd {
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
