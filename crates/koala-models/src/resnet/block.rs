//! One residual block.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::Tensor;
use koala_ops::{Activation, Then, nn};

use super::spec::BlockForm;
use crate::Draws;

/// Convolutions with batch normalisation and ReLU, and a shortcut around them: ReLU(branch(x) + shortcut(x)).
///
/// Where a block has a stride, the first 3 x 3 convolution has it, as in `torchvision` (the paper gives it to the 1 x 1
/// convolution before).
#[derive(Module, Debug)]
pub struct ResidualBlock {
    convolutions: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    projection: Option<Projection>,
    subsample: Option<AvgPool2d>,
}

/// A shortcut where height, width or channels change: a 1 x 1 convolution with batch normalisation.
#[derive(Module, Debug)]
pub struct Projection {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl ResidualBlock {
    /// A block with its initial weights, and the number of its output channels.
    pub(super) fn new(
        form: BlockForm,
        inputs: usize,
        width: usize,
        stride: usize,
        draws: &mut Draws,
    ) -> (Self, usize) {
        // Channels and size of each convolution.
        let (layers, strided) = match form {
            BlockForm::Plain | BlockForm::Basic => (vec![(width, 3), (width, 3)], 0),
            BlockForm::Bottleneck(factor) => {
                let inner = factor * width;
                (vec![(inner, 1), (inner, 3), (4 * width, 1)], 1)
            }
        };
        let mut convolutions = Vec::with_capacity(layers.len());
        let mut norms = Vec::with_capacity(layers.len());
        let mut channels = inputs;
        for (i, &(outputs, size)) in layers.iter().enumerate() {
            let stride = if i == strided { stride } else { 1 };
            convolutions.push(draws.residual_convolution([channels, outputs], size, stride));
            norms.push(draws.batch_norm(outputs));
            channels = outputs;
        }
        let plain = form == BlockForm::Plain;
        let projection = (!plain && (stride > 1 || inputs != channels)).then(|| Projection {
            convolution: draws.residual_convolution([inputs, channels], 1, stride),
            norm: draws.batch_norm(channels),
        });
        let subsample = (plain && stride > 1).then(|| {
            // The average of one pixel: every `stride`-th is kept.
            AvgPool2dConfig::new([1, 1])
                .with_strides([stride, stride])
                .init()
        });
        let block = Self {
            convolutions,
            norms,
            projection,
            subsample,
        };
        (block, channels)
    }

    /// `[batch, channels, height, width]` to `[batch, outputs, height/stride, width/stride]`, rounded up.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        let mut input = Some(input);
        for (i, (convolution, norm)) in self.convolutions.iter().zip(&self.norms).enumerate() {
            x = nn::conv2d(convolution, x);
            let last = i + 1 == self.convolutions.len();
            let around = input.take_if(|_| last);
            let then = Then {
                add: around.map(|input| self.shortcut(input, x.dims()[1])),
                activation: Activation::Relu,
            };
            x = nn::batch_norm(norm, x, then);
        }
        x
    }

    fn shortcut(&self, input: Tensor<4>, channels: usize) -> Tensor<4> {
        if let Some(Projection { convolution, norm }) = &self.projection {
            let then = Then::activate(Activation::Identity);
            return nn::batch_norm(norm, nn::conv2d(convolution, input), then);
        }
        let x = match &self.subsample {
            Some(subsample) => subsample.forward(input),
            None => input,
        };
        let [batch, inputs, height, width] = x.dims();
        let missing = channels.saturating_sub(inputs);
        if missing == 0 {
            return x;
        }
        let device = x.device();
        let zeros = |count| Tensor::zeros([batch, count, height, width], &device);
        let before = missing / 2;
        let after = zeros(missing - before);
        match before {
            0 => Tensor::cat(vec![x, after], 1),
            _ => Tensor::cat(vec![zeros(before), x, after], 1),
        }
    }
}
