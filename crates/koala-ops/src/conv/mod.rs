//! Convolution in two dimensions, and its transpose.

mod columns;
mod direct;
mod geometry;
mod pointwise;
mod transposed;
mod winograd;

use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;
use rayon::prelude::*;

use crate::choice::{operand, operands, optional_operand};
use crate::dense::Dense;
use crate::kernel::{add_scalar, sum};
use crate::operation::Operation;
use direct::Direct;
use geometry::Geometry;
pub use transposed::conv_transpose2d;
use winograd::Winograd;

/// The convolution of images, `[images, inputs, height, width]`, with `weight`, `[outputs, inputs, height, width]`, plus `bias`,
/// `[outputs]`: `[images, outputs, height, width]`. Strides and padding are those of the options; where they have groups or a
/// dilation, Burn's own convolution computes.
///
/// # Panics
///
/// As `burn::tensor::module::conv2d`, if the sizes do not fit.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let geometry = Geometry::new(input.dims(), weight.dims(), &options)
        .filter(|geometry| !geometry.is_empty())
        .filter(|geometry| {
            bias.as_ref()
                .is_none_or(|bias| bias.dims() == [geometry.outputs])
        });
    let chosen = operands([
        operand(&input),
        operand(&weight),
        optional_operand(bias.as_ref()),
    ]);
    let (Some(geometry), Some(operands)) = (geometry, chosen) else {
        return module::conv2d(input, weight, bias, options);
    };

    let (tensors, recording) = operands.into_parts();
    let [input, weight, bias] = tensors.map(Dense::of);
    let mut results = forward(&geometry, &input, &weight);
    add_bias(&mut results, &bias, geometry.output_pixels());
    let [height, width] = geometry.out;
    let results = Dense::new(results, [geometry.images, geometry.outputs, height, width]);
    recording.finish(results, || Convolution {
        geometry,
        input,
        weight,
    })
}

fn forward(geometry: &Geometry, input: &[f32], weight: &[f32]) -> Vec<f32> {
    if geometry.is_pointwise() {
        return pointwise::forward(geometry, input, weight);
    }
    if let Some(winograd) = Winograd::of(geometry) {
        return winograd.forward(input, weight);
    }
    match Direct::of(geometry) {
        Some(direct) => direct.forward(input, weight),
        None => columns::forward(geometry, input, weight),
    }
}

fn input_gradient(geometry: &Geometry, upstream: &[f32], weight: &[f32]) -> Vec<f32> {
    if geometry.is_pointwise() {
        return pointwise::input_gradient(geometry, upstream, weight);
    }
    Winograd::of(geometry)
        .and_then(|winograd| winograd.input_gradient(upstream, weight))
        .or_else(|| Direct::of(geometry)?.input_gradient(upstream, weight))
        .unwrap_or_else(|| columns::input_gradient(geometry, upstream, weight))
}

fn weight_gradient(geometry: &Geometry, upstream: &[f32], input: &[f32]) -> Vec<f32> {
    if geometry.is_pointwise() {
        return pointwise::weight_gradient(geometry, upstream, input);
    }
    if let Some(winograd) = Winograd::of(geometry) {
        return winograd.weight_gradient(upstream, input);
    }
    match Direct::of(geometry) {
        Some(direct) => direct.weight_gradient(upstream, input),
        None => columns::weight_gradient(geometry, upstream, input),
    }
}

/// Adds its bias to each channel of images, `[images, channels, pixels]`; an empty one is none.
fn add_bias(images: &mut [f32], bias: &[f32], pixels: usize) {
    if !bias.is_empty() {
        let planes = images.par_chunks_exact_mut(pixels);
        planes
            .enumerate()
            .for_each(|(place, plane)| add_scalar(plane, bias[place % bias.len()]));
    }
}

/// The sum of each channel of images, `[images, channels, pixels]`.
fn channel_sums(images: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let channel = |channel| {
        let planes = images.chunks_exact(pixels).skip(channel).step_by(channels);
        planes.map(|plane| f64::from(sum(plane))).sum::<f64>() as f32
    };
    (0..channels).into_par_iter().map(channel).collect()
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Convolution {
    geometry: Geometry,
    input: Dense,
    weight: Dense,
}

impl Operation<3> for Convolution {
    fn gradients(self, output: Dense, wanted: [bool; 3]) -> [Option<Dense>; 3] {
        let geometry = &self.geometry;
        let of_input = || {
            let gradient = input_gradient(geometry, &output, &self.weight);
            Dense::new(gradient, self.input.shape().clone())
        };
        let of_weight = || {
            let gradient = weight_gradient(geometry, &output, &self.input);
            Dense::new(gradient, self.weight.shape().clone())
        };
        let of_bias = || {
            let sums = channel_sums(&output, geometry.outputs, geometry.output_pixels());
            Dense::new(sums, [geometry.outputs])
        };
        [
            wanted[0].then(of_input),
            wanted[1].then(of_weight),
            wanted[2].then(of_bias),
        ]
    }
}
