//! A small convolutional network.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Tensor, activation::relu};
use serde::{Deserialize, Serialize};

use super::{Classifier, Draws};
use crate::ImageShape;

/// Blocks of 3 x 3 convolution, 2 x 2 maximum, batch normalisation and ReLU, then one fully connected hidden layer.
///
/// The normalisation is what lets every optimizer train it with its defaults: without it, SGD's learning rate of 0.1 and
/// KOALA-V's long first steps silence the network on the digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnSpec {
    /// Channels of each block; each block halves height and width.
    pub channels: Vec<usize>,
    /// Width of the fully connected hidden layer; 0 for none.
    pub hidden: usize,
}

impl Default for CnnSpec {
    /// Two blocks, of 16 and 32 channels, and a hidden layer of 64.
    fn default() -> Self {
        Self {
            channels: vec![16, 32],
            hidden: 64,
        }
    }
}

/// The network of a [`CnnSpec`].
#[derive(Module, Debug)]
pub struct Cnn {
    convolutions: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
    hidden: Option<Linear>,
    output: Linear,
}

impl Cnn {
    /// The network with its initial weights.
    pub fn new(spec: &CnnSpec, shape: ImageShape, draws: &mut Draws) -> Self {
        let (mut channels, mut height, mut width) = (shape.channels, shape.height, shape.width);
        let mut convolutions = Vec::with_capacity(spec.channels.len());
        let mut norms = Vec::with_capacity(spec.channels.len());
        for &outputs in &spec.channels {
            convolutions
                .push(draws.convolution(std::mem::replace(&mut channels, outputs), outputs));
            norms.push(draws.batch_norm(outputs));
            (height, width) = (height / 2, width / 2);
        }
        let mut features = channels * height * width;
        let hidden = (spec.hidden > 0)
            .then(|| draws.linear(std::mem::replace(&mut features, spec.hidden), spec.hidden));
        Self {
            convolutions,
            norms,
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden,
            output: draws.linear(features, shape.classes),
        }
    }
}

impl Classifier for Cnn {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        for (convolution, norm) in self.convolutions.iter().zip(&self.norms) {
            // The maximum comes first: the rest then has a quarter of the work.
            x = relu(norm.forward(self.pool.forward(convolution.forward(x))));
        }
        let mut x: Tensor<2> = x.flatten(1, 3);
        if let Some(hidden) = &self.hidden {
            x = relu(hidden.forward(x));
        }
        self.output.forward(x)
    }
}
