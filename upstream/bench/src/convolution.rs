//! Layers of convolutional networks, and the gradients of their convolutions.

use burn_backend::Backend;
use burn_backend::ops::ConvOptions;

use crate::tensors::{Tensor, random};

/// A convolution of a batch of square images with square kernels.
#[derive(Clone, Copy)]
pub struct Layer {
    pub name: &'static str,
    pub images: usize,
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    pub size: usize,
    pub kernel: usize,
    pub stride: usize,
    pub groups: usize,
}

/// What is computed of a layer.
#[derive(Clone, Copy)]
pub enum Gradient {
    Input,
    Weight,
}

impl Layer {
    pub const fn new(name: &'static str, images: usize, channels: [usize; 2], size: usize) -> Self {
        Self {
            name,
            images,
            channels,
            size,
            kernel: 3,
            stride: 1,
            groups: 1,
        }
    }

    pub const fn kernel(self, kernel: usize, stride: usize) -> Self {
        Self {
            kernel,
            stride,
            ..self
        }
    }

    pub fn options(&self) -> ConvOptions<2> {
        let padding = self.kernel / 2;
        ConvOptions::new([self.stride; 2], [padding; 2], [1; 2], self.groups)
    }

    pub fn weight<B: Backend>(&self) -> Tensor<B> {
        let [inputs, outputs] = self.channels;
        random::<B>(
            [outputs, inputs / self.groups, self.kernel, self.kernel],
            1.0 / (inputs / self.groups * self.kernel * self.kernel) as f32,
            2,
        )
    }

    pub fn input<B: Backend>(&self) -> Tensor<B> {
        random::<B>(
            [self.images, self.channels[0], self.size, self.size],
            1.0,
            1,
        )
    }

    /// A function that computes the gradient once.
    pub fn gradient<B: Backend>(self, gradient: Gradient) -> impl Fn() -> Tensor<B> {
        let out = self.size.div_ceil(self.stride);
        let input = self.input::<B>();
        let weight = self.weight::<B>();
        let upstream = random::<B>([self.images, self.channels[1], out, out], 1.0, 3);
        let compute = match gradient {
            Gradient::Input => B::conv2d_x_backward,
            Gradient::Weight => B::conv2d_weight_backward,
        };
        move || {
            let (input, weight) = (input.clone(), weight.clone());
            compute(input, weight, upstream.clone(), self.options())
        }
    }
}

/// From residual networks on 32 x 32 and 224 x 224 pixels, and one image alone.
pub const LAYERS: [Layer; 13] = [
    Layer::new("ResNet-20, first", 32, [3, 16], 32),
    Layer::new("ResNet-20, stage 1", 32, [16, 16], 32),
    Layer::new("ResNet-20, stage 2", 32, [32, 32], 16),
    Layer::new("ResNet-20, stage 3", 32, [64, 64], 8),
    Layer::new("ResNet-20, into stage 2", 32, [16, 32], 32).kernel(3, 2),
    Layer::new("ResNet-18, stage 1", 32, [64, 64], 32),
    Layer::new("ResNet-18, stage 3", 32, [256, 256], 8),
    Layer::new("ResNet-18, stage 4", 32, [512, 512], 4),
    Layer::new("ResNet-18, a shortcut", 32, [128, 256], 16).kernel(1, 2),
    Layer::new("ResNet-50, 1 x 1", 16, [256, 64], 28).kernel(1, 1),
    Layer::new("5 x 5", 128, [8, 16], 14).kernel(5, 1),
    Layer {
        groups: 64,
        ..Layer::new("depthwise", 16, [64, 64], 28)
    },
    Layer::new("one image", 1, [64, 64], 56),
];
