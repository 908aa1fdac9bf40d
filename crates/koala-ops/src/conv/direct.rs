//! Convolution of stride 1 as it is written: sums over shifted images, without columns.
//!
//! The images of a group lie in one line a channel, rows with a common pitch, zeros between them; those after a row are those before
//! the next. Where an output is computed on the seam of two rows it has no meaning, and is not read.

use rayon::prelude::*;

use super::columns::total;
use super::geometry::Geometry;
use crate::kernel::{BLOCK, LINE, Lines, correlate, correlate_sums, with_scratch};

/// Elements of a line that are enough for a group of images.
const ENOUGH: usize = 384;
/// Elements of the lines of a group: two MiB.
const MOST: usize = 512 * 1024;
/// Elements of partial sums of weights: 16 MiB.
const SUMS: usize = 4 * 1024 * 1024;

/// How images lie in lines.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// From a row to the next.
    row: usize,
    /// From an image to the next.
    image: usize,
    /// Images of a group.
    images: usize,
    /// Elements of a line of outputs.
    outputs: usize,
    /// Elements of a line that is read.
    inputs: usize,
}

impl Layout {
    /// That of a geometry, `None` if it has a stride or pads by a kernel's size, if more than a quarter of what is computed would be
    /// on seams, or if an image is too large.
    fn of(geometry: &Geometry, after: [usize; 2]) -> Option<Self> {
        let [height, width] = geometry.size;
        let [top, left] = geometry.padding;
        let [bottom, right] = after;
        let [kernel_height, kernel_width] = geometry.kernel;
        let padded = top.max(bottom) < kernel_height && left.max(right) < kernel_width;
        if geometry.stride != [1, 1] || !padded {
            return None;
        }
        let row = width + left.max(right);
        let image = row * (height + top.max(bottom));
        let used = geometry.output_pixels() as f64 / image as f64;
        let images = ENOUGH.div_ceil(image).min(geometry.images);
        let outputs = (images * image).next_multiple_of(LINE);
        let inputs = outputs + row * kernel_height + kernel_width;
        let fits = inputs * geometry.inputs.max(geometry.outputs) <= MOST;
        (used > 0.75 && fits).then_some(Self {
            row,
            image,
            images,
            outputs,
            inputs,
        })
    }

    /// How much further each tap of the kernel reads.
    fn taps(&self, geometry: &Geometry) -> Vec<usize> {
        let [height, width] = geometry.kernel;
        let rows = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        rows.map(|(row, column)| row * self.row + column).collect()
    }

    /// Writes images, `[images, channels, height, width]`, into lines of `pitch` elements that begin with so many rows and columns of
    /// zeros.
    fn spread(
        &self,
        images: &[f32],
        channels: usize,
        [height, width]: [usize; 2],
        [top, left]: [usize; 2],
        lines: &mut [f32],
        pitch: usize,
    ) {
        lines.fill(0.0);
        let first = top * self.row + left;
        for (place, plane) in images.chunks_exact(height * width).enumerate() {
            let (image, channel) = (place / channels, place % channels);
            let line = &mut lines[channel * pitch + image * self.image + first..];
            for (row, into) in plane.chunks_exact(width).zip(line.chunks_mut(self.row)) {
                into[..width].copy_from_slice(row);
            }
        }
    }

    /// Reads one channel's images back from a line that begins with the first.
    fn collect(&self, line: &[f32], [height, width]: [usize; 2], image: usize, plane: &mut [f32]) {
        let rows = line[image * self.image..].chunks(self.row).take(height);
        for (row, into) in rows.zip(plane.chunks_exact_mut(width)) {
            into.copy_from_slice(&row[..width]);
        }
    }
}

/// A convolution that is computed so.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    geometry: Geometry,
    layout: Layout,
}

impl Direct {
    /// `None` if the convolution is better computed by columns.
    pub fn of(geometry: &Geometry) -> Option<Self> {
        let layout = Layout::of(geometry, geometry.padding_after())?;
        Some(Self {
            geometry: *geometry,
            layout,
        })
    }

    /// The one whose results are the gradient of this one's images; `None` if that is better computed by columns.
    fn transposed(&self) -> Option<Self> {
        let geometry = self.geometry;
        let transposed = geometry.transposed();
        let layout = Layout::of(&transposed, geometry.beyond(geometry.padding_after()))?;
        Some(Self {
            geometry: transposed,
            layout,
        })
    }

    /// What the convolution of the images is.
    pub fn forward(&self, input: &[f32], weight: &[f32]) -> Vec<f32> {
        let taps = self.geometry.kernel[0] * self.geometry.kernel[1];
        let inputs = self.geometry.inputs;
        self.convolve(input, |output, channel, tap| {
            weight[(output * inputs + channel) * taps + tap]
        })
    }

    /// The gradient of the images from that of the results.
    pub fn input_gradient(&self, upstream: &[f32], weight: &[f32]) -> Option<Vec<f32>> {
        let transposed = self.transposed()?;
        let taps = self.geometry.kernel[0] * self.geometry.kernel[1];
        let inputs = self.geometry.inputs;
        // The kernel is turned by half a circle.
        Some(transposed.convolve(upstream, |output, channel, tap| {
            weight[(channel * inputs + output) * taps + taps - 1 - tap]
        }))
    }

    /// The convolution with the weight of each output, channel and tap.
    fn convolve(
        &self,
        input: &[f32],
        weight: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Vec<f32> {
        let Self { geometry, layout } = self;
        let taps = layout.taps(geometry);
        let block = geometry.inputs * taps.len() * BLOCK;
        let mut packed = vec![0.0; geometry.outputs.div_ceil(BLOCK) * block];
        packed
            .par_chunks_mut(block)
            .enumerate()
            .for_each(|(place, packed)| {
                for (at, weights) in packed.chunks_exact_mut(BLOCK).enumerate() {
                    let outputs = place * BLOCK..geometry.outputs;
                    for (output, into) in outputs.zip(weights) {
                        *into = weight(output, at / taps.len(), at % taps.len());
                    }
                }
            });

        let pixels = geometry.output_pixels();
        let mut results = vec![0.0; geometry.images * geometry.output_elements()];
        results
            .par_chunks_mut(layout.images * geometry.output_elements())
            .zip(input.par_chunks(layout.images * geometry.input_elements()))
            .for_each(|(results, input)| {
                let lines = geometry.inputs * layout.inputs;
                with_scratch(lines + BLOCK * layout.outputs, |scratch| {
                    let (lines, computed) = scratch.split_at_mut(lines);
                    let Geometry {
                        inputs,
                        size,
                        padding,
                        ..
                    } = *geometry;
                    layout.spread(input, inputs, size, padding, lines, layout.inputs);
                    let source = Lines {
                        values: lines,
                        pitch: layout.inputs,
                    };
                    for (place, weights) in packed.chunks_exact(block).enumerate() {
                        correlate(source, &taps, weights, computed);
                        let first = place * BLOCK;
                        for (output, line) in
                            (first..geometry.outputs).zip(computed.chunks_exact(layout.outputs))
                        {
                            for (image, results) in results
                                .chunks_exact_mut(geometry.output_elements())
                                .enumerate()
                            {
                                let plane = &mut results[output * pixels..][..pixels];
                                layout.collect(line, geometry.out, image, plane);
                            }
                        }
                    }
                });
            });
        results
    }

    /// The gradient of the weights from that of the results.
    pub fn weight_gradient(&self, upstream: &[f32], input: &[f32]) -> Vec<f32> {
        let Self { geometry, layout } = self;
        let taps = layout.taps(geometry);
        let groups = geometry.images.div_ceil(layout.images);
        let weights = geometry.weights();
        let parts = (SUMS / weights).clamp(2, 16).min(groups);
        let images = groups.div_ceil(parts) * layout.images;
        let mut sums = vec![0.0; geometry.images.div_ceil(images) * weights];
        let (read, written) = (geometry.input_elements(), geometry.output_elements());
        sums.par_chunks_mut(weights)
            .zip(upstream.par_chunks(images * written))
            .zip(input.par_chunks(images * read))
            .for_each(|((sum, upstream), input)| {
                let lines = geometry.inputs * layout.inputs;
                with_scratch(lines + geometry.outputs * layout.outputs, |scratch| {
                    let (lines, gradients) = scratch.split_at_mut(lines);
                    let upstream = upstream.chunks(layout.images * written);
                    let input = input.chunks(layout.images * read);
                    for (upstream, input) in upstream.zip(input) {
                        let Geometry {
                            inputs,
                            outputs,
                            size,
                            out,
                            padding,
                            ..
                        } = *geometry;
                        layout.spread(input, inputs, size, padding, lines, layout.inputs);
                        layout.spread(upstream, outputs, out, [0, 0], gradients, layout.outputs);
                        let source = Lines {
                            values: lines,
                            pitch: layout.inputs,
                        };
                        let gradients = Lines {
                            values: gradients,
                            pitch: layout.outputs,
                        };
                        correlate_sums(gradients, source, &taps, layout.outputs, sum);
                    }
                });
            });
        total(sums, weights)
    }
}
