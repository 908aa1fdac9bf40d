//! The 4 x 4 convolutions of both networks, with DCGAN's initial weights.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvTransposeOptions;
use koala_ops::conv_transpose2d;

use crate::Draws;

/// Height and width of every kernel.
const SIZE: usize = 4;
/// Standard deviation of the initial weights.
pub(super) const DEVIATION: f64 = 0.02;

/// What a layer does to height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// 4 pixels to 1, or 1 to 4.
    Whole,
    /// Halves, or doubles.
    Two,
}

impl Scale {
    fn stride_and_padding(self) -> (usize, usize) {
        match self {
            Self::Whole => (1, 0),
            Self::Two => (2, 1),
        }
    }
}

/// A convolution that shrinks; bias 0, or none.
pub(super) fn shrinking(
    [inputs, outputs]: [usize; 2],
    scale: Scale,
    bias: bool,
    draws: &mut Draws,
) -> Conv2d {
    let (stride, padding) = scale.stride_and_padding();
    let layer = Conv2dConfig::new([inputs, outputs], [SIZE, SIZE])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_bias(false)
        .init(draws.device());
    Conv2d {
        weight: draws.normal([outputs, inputs, SIZE, SIZE], DEVIATION),
        bias: bias.then(|| draws.zeros([outputs])),
        ..layer
    }
}

/// A transposed convolution that grows, without bias.
pub(super) fn growing(
    [inputs, outputs]: [usize; 2],
    scale: Scale,
    draws: &mut Draws,
) -> ConvTranspose2d {
    let (stride, padding) = scale.stride_and_padding();
    let layer = ConvTranspose2dConfig::new([inputs, outputs], [SIZE, SIZE])
        .with_stride([stride, stride])
        .with_padding([padding, padding])
        .with_bias(false)
        .init(draws.device());
    ConvTranspose2d {
        weight: draws.normal([inputs, outputs, SIZE, SIZE], DEVIATION),
        ..layer
    }
}

/// The transpose of a [`shrinking`] convolution, as a linear map, without the bias.
pub(super) fn transposed(layer: &Conv2d, scale: Scale, x: Tensor<4>) -> Tensor<4> {
    let (stride, padding) = scale.stride_and_padding();
    let options =
        ConvTransposeOptions::new([stride, stride], [padding, padding], [0, 0], [1, 1], 1);
    conv_transpose2d(x, layer.weight.val(), None, options)
}
