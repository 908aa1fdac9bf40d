//! A network of fully connected layers.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Tensor, activation::relu};
use serde::{Deserialize, Serialize};

use super::{Classifier, Draws};
use crate::ImageShape;

/// Fully connected layers with ReLU between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSpec {
    /// Widths of the hidden layers, from the image to the classes; none at all gives a linear classifier.
    pub hidden: Vec<usize>,
}

impl Default for MlpSpec {
    /// Two hidden layers, of 128 and 64.
    fn default() -> Self {
        Self {
            hidden: vec![128, 64],
        }
    }
}

/// The network of a [`MlpSpec`].
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// The network with its initial weights.
    pub fn new(spec: &MlpSpec, shape: ImageShape, draws: &mut Draws) -> Self {
        let mut inputs = shape.channels * shape.height * shape.width;
        let widths = spec.hidden.iter().copied().chain([shape.classes]);
        let layers = widths
            .map(|outputs| draws.linear(std::mem::replace(&mut inputs, outputs), outputs))
            .collect();
        Self { layers }
    }
}

impl Classifier for Mlp {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x: Tensor<2> = images.flatten(1, 3);
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = relu(x);
            }
            x = layer.forward(x);
        }
        x
    }
}
