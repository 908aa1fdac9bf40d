//! Transposed convolution in two dimensions: what a convolution does to the gradient of its images, as an operation of its own.

use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Shape, Tensor};

use super::geometry::Geometry;
use super::{add_bias, channel_sums, forward, input_gradient, weight_gradient};
use crate::choice::{operand, operands, optional_operand};
use crate::dense::Dense;
use crate::operation::Operation;

/// The transposed convolution of images, `[images, inputs, height, width]`, with `weight`, `[inputs, outputs, height, width]`, plus
/// `bias`, `[outputs]`: `[images, outputs, height, width]`. Strides and padding, that of the results too, are those of the options;
/// where they have groups or a dilation, Burn's own transposed convolution computes.
///
/// # Panics
///
/// As `burn::tensor::module::conv_transpose2d`, if the sizes do not fit.
pub fn conv_transpose2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvTransposeOptions<2>,
) -> Tensor<4> {
    let geometry = of_convolution(input.dims(), weight.dims(), &options)
        .filter(|geometry| !geometry.is_empty())
        .filter(|geometry| {
            bias.as_ref()
                .is_none_or(|bias| bias.dims() == [geometry.inputs])
        });
    let chosen = operands([
        operand(&input),
        operand(&weight),
        optional_operand(bias.as_ref()),
    ]);
    let (Some(geometry), Some(operands)) = (geometry, chosen) else {
        return module::conv_transpose2d(input, weight, bias, options);
    };

    let (tensors, recording) = operands.into_parts();
    let [input, weight, bias] = tensors.map(Dense::of);
    let mut results = input_gradient(&geometry, &input, &weight);
    add_bias(&mut results, &bias, geometry.input_pixels());
    let [height, width] = geometry.size;
    let results = Dense::new(results, [geometry.images, geometry.inputs, height, width]);
    recording.finish(results, || Transposed {
        geometry,
        input,
        weight,
    })
}

/// The convolution that this is the transpose of: it reads what this one writes. `None` if the sizes do not fit, or if there are
/// groups or a dilation.
fn of_convolution(
    [images, inputs, height, width]: [usize; 4],
    [weight_inputs, outputs, kernel_height, kernel_width]: [usize; 4],
    options: &ConvTransposeOptions<2>,
) -> Option<Geometry> {
    let (size, kernel) = ([height, width], [kernel_height, kernel_width]);
    let mut grown = [0; 2];
    for axis in 0..2 {
        let strides = size[axis]
            .checked_sub(1)?
            .checked_mul(options.stride[axis])?;
        let reached = strides
            .checked_add(kernel[axis])?
            .checked_add(options.padding_out[axis])?;
        grown[axis] = reached
            .checked_sub(options.padding[axis].checked_mul(2)?)
            .filter(|&pixels| pixels > 0)?;
    }
    let convolution = ConvOptions::new(
        options.stride,
        options.padding,
        options.dilation,
        options.groups,
    );
    let [rows, columns] = grown;
    let weight = [weight_inputs, outputs, kernel_height, kernel_width];
    let geometry = Geometry::new([images, outputs, rows, columns], weight, &convolution)?;
    // Padding of the results as wide as a stride would be of another one.
    (inputs == weight_inputs && geometry.out == size).then_some(geometry)
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Transposed {
    /// That of the convolution.
    geometry: Geometry,
    input: Dense,
    weight: Dense,
}

impl Operation<3> for Transposed {
    fn gradients(self, output: Dense, wanted: [bool; 3]) -> [Option<Dense>; 3] {
        let geometry = &self.geometry;
        let shaped = |gradient, shape: &Shape| Dense::new(gradient, shape.clone());
        let of_input = || {
            let gradient = forward(geometry, &output, &self.weight);
            shaped(gradient, self.input.shape())
        };
        let of_weight = || {
            let gradient = weight_gradient(geometry, &self.input, &output);
            shaped(gradient, self.weight.shape())
        };
        let of_bias = || {
            let sums = channel_sums(&output, geometry.inputs, geometry.input_pixels());
            Dense::new(sums, [geometry.inputs])
        };
        [
            wanted[0].then(of_input),
            wanted[1].then(of_weight),
            wanted[2].then(of_bias),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(side: usize, stride: usize, padding_out: usize) -> Option<[usize; 2]> {
        let options = ConvTransposeOptions::new([stride; 2], [1; 2], [padding_out; 2], [1; 2], 1);
        let geometry = of_convolution([2, 3, side, side], [3, 5, 4, 4], &options)?;
        assert_eq!(
            [geometry.outputs, geometry.inputs, geometry.out[0]],
            [3, 5, side]
        );
        Some(geometry.size)
    }

    #[test]
    fn it_is_the_transpose_of_a_convolution_of_what_it_writes() {
        assert_eq!(size(8, 2, 0), Some([16, 16]));
        assert_eq!(size(8, 2, 1), Some([17, 17]));
        assert_eq!(size(8, 1, 0), Some([9, 9]));
        // One more row would be read too.
        assert_eq!(size(8, 2, 2), None);
        assert_eq!(size(2, usize::MAX, 0), None);
        assert_eq!(size(0, 2, 0), None);
    }
}
