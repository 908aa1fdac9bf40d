//! The largest of each 2 x 2 pixels.

use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::MaxPoolOptions;
use rayon::prelude::*;

use crate::choice::{operand, operands};
use crate::dense::Dense;
use crate::kernel::{largest_of_four, rows_a_chunk, to_largest};
use crate::operation::Operation;

/// The largest of each window of `[images, channels, height, width]`. Windows of 2 x 2 beside each other are one operation; all
/// others are Burn's.
///
/// # Panics
///
/// As `burn::tensor::module::max_pool2d`, if the sizes do not fit.
pub fn max_pool2d(input: Tensor<4>, options: MaxPoolOptions<2>) -> Tensor<4> {
    let [images, channels, height, width] = input.dims();
    let plain = options == MaxPoolOptions::new([2, 2]);
    let some = images * channels > 0 && height >= 2 && width >= 2;
    let Some(operands) = operands([operand(&input)]).filter(|_| plain && some) else {
        return module::max_pool2d(input, options);
    };

    let ([input], recording) = operands.into_parts();
    let input = Dense::of(input);
    let windows = Windows { height, width };
    let count = images * channels * windows.count();
    let (mut results, mut places) = (vec![0.0; count], vec![0; count]);
    let chunk = rows_a_chunk(height * width);
    results
        .par_chunks_mut(chunk * windows.count())
        .zip(places.par_chunks_mut(chunk * windows.count()))
        .zip(input.par_chunks(chunk * height * width))
        .for_each(|((results, places), input)| {
            let planes = results
                .chunks_exact_mut(windows.count())
                .zip(places.chunks_exact_mut(windows.count()));
            for ((results, places), plane) in planes.zip(input.chunks_exact(height * width)) {
                windows.reduce(plane, results, places);
            }
        });
    let results = Dense::new(results, [images, channels, height / 2, width / 2]);
    recording.finish(results, || MaxPool {
        windows,
        shape: [images, channels, height, width],
        places: places.into(),
    })
}

/// The windows of a plane of at least 2 x 2 pixels. An odd row or column at its end is in none.
#[derive(Clone, Copy, Debug)]
struct Windows {
    height: usize,
    width: usize,
}

impl Windows {
    fn count(self) -> usize {
        (self.height / 2) * (self.width / 2)
    }

    /// Two rows of a plane for each of windows.
    fn reduce(self, plane: &[f32], results: &mut [f32], places: &mut [u8]) {
        let rows = plane.chunks_exact(2 * self.width);
        let results = results.chunks_exact_mut(self.width / 2);
        let places = places.chunks_exact_mut(self.width / 2);
        for ((rows, results), places) in rows.zip(results).zip(places) {
            let (above, below) = rows.split_at(self.width);
            largest_of_four(above, below, results, places);
        }
    }

    /// Writes the gradient of a plane of zeros.
    fn expand(self, gradient: &[f32], places: &[u8], plane: &mut [f32]) {
        let rows = plane.chunks_exact_mut(2 * self.width);
        let gradient = gradient.chunks_exact(self.width / 2);
        let places = places.chunks_exact(self.width / 2);
        for ((rows, gradient), places) in rows.zip(gradient).zip(places) {
            let (above, below) = rows.split_at_mut(self.width);
            to_largest(gradient, places, above, below);
        }
    }
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct MaxPool {
    windows: Windows,
    shape: [usize; 4],
    /// Which of four each result is, from 0, row by row.
    places: Arc<[u8]>,
}

impl Operation<1> for MaxPool {
    fn gradients(self, output: Dense, [wanted]: [bool; 1]) -> [Option<Dense>; 1] {
        if !wanted {
            return [None];
        }
        let (windows, pixels) = (self.windows, self.windows.height * self.windows.width);
        let mut gradient = vec![0.0; self.shape.iter().product()];
        let chunk = rows_a_chunk(pixels);
        gradient
            .par_chunks_mut(chunk * pixels)
            .zip(output.par_chunks(chunk * windows.count()))
            .zip(self.places.par_chunks(chunk * windows.count()))
            .for_each(|((gradient, output), places)| {
                let results = output
                    .chunks_exact(windows.count())
                    .zip(places.chunks_exact(windows.count()));
                for (plane, (output, places)) in gradient.chunks_exact_mut(pixels).zip(results) {
                    windows.expand(output, places, plane);
                }
            });
        [Some(Dense::new(gradient, self.shape))]
    }
}
