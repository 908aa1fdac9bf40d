//! The convolution, and with its kernels turned the gradient of the images.

use rayon::prelude::*;

use super::{Strip, Winograd};
use crate::conv::geometry::Geometry;
use crate::kernel::{
    BLOCK, Lines, MatrixMut, PLACES, Results, TILES, correlate, rows_a_chunk, transform_kernels,
    with_scratch,
};

impl Winograd {
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
}
