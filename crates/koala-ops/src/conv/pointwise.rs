//! Convolution with kernels of 1 x 1: each image is a matrix as it lies.

use rayon::prelude::*;

use super::columns::total;
use super::geometry::Geometry;
use crate::kernel::{Matrix, MatrixMut, Store, Threads, multiply};

/// Elements that partial sums of weights may take: 16 MiB.
const SUMS: usize = 4 * 1024 * 1024;

/// What the convolution of the images is.
pub(super) fn forward(geometry: &Geometry, input: &[f32], weight: &[f32]) -> Vec<f32> {
    let weight = Matrix::new(weight, geometry.outputs, geometry.inputs);
    each_image(weight, input, geometry.output_pixels())
}

/// The gradient of the images from that of the results.
pub(super) fn input_gradient(geometry: &Geometry, upstream: &[f32], weight: &[f32]) -> Vec<f32> {
    let weight = Matrix::new(weight, geometry.outputs, geometry.inputs).transposed();
    each_image(weight, upstream, geometry.output_pixels())
}

/// `weight` times each image, of as many channels as it has columns.
fn each_image(weight: Matrix<'_>, images: &[f32], pixels: usize) -> Vec<f32> {
    let (rows, columns) = (weight.rows * pixels, weight.columns * pixels);
    let mut results = vec![0.0; images.len() / columns * rows];
    let tasks = results.par_chunks_mut(rows).zip(images.par_chunks(columns));
    tasks.for_each(|(result, image)| {
        multiply(
            &mut MatrixMut::new(result, weight.rows, pixels),
            Store::Set,
            weight,
            Matrix::new(image, weight.columns, pixels),
            Threads::One,
        );
    });
    results
}

/// The gradient of the weights from that of the results.
pub(super) fn weight_gradient(geometry: &Geometry, upstream: &[f32], input: &[f32]) -> Vec<f32> {
    let weights = geometry.weights();
    let parts = (SUMS / weights).clamp(2, 16).min(geometry.images);
    let images = geometry.images.div_ceil(parts);
    let mut sums = vec![0.0; geometry.images.div_ceil(images) * weights];
    let tasks = sums
        .par_chunks_mut(weights)
        .zip(upstream.par_chunks(images * geometry.output_elements()))
        .zip(input.par_chunks(images * geometry.input_elements()));
    tasks.for_each(|((sum, upstream), input)| {
        let upstream = upstream.chunks_exact(geometry.output_elements());
        let input = input.chunks_exact(geometry.input_elements());
        let mut store = Store::Set;
        for (upstream, input) in upstream.zip(input) {
            multiply(
                &mut MatrixMut::new(sum, geometry.outputs, geometry.inputs),
                store,
                Matrix::new(upstream, geometry.outputs, geometry.output_pixels()),
                Matrix::new(input, geometry.inputs, geometry.input_pixels()).transposed(),
                Threads::One,
            );
            store = Store::Add;
        }
    });
    total(sums, weights)
}
