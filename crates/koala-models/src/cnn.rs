//! A small convolutional network.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Tensor, activation::relu};
use koala_ops::{Activation, Then, nn};
use serde::{Deserialize, Serialize};

use super::{Classifier, Draws};
use crate::ImageShape;

/// Blocks of 3 x 3 convolution, 2 x 2 maximum, batch normalisation and ReLU, then one fully connected hidden layer.
///
/// The normalisation, which can be left out, is what lets every optimizer train it with its defaults: without it, SGD's learning rate of 0.1 and
/// KOALA-V's long first steps silence the network on the digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnSpec {
    /// Channels of each block; each block halves height and width.
    pub channels: Vec<usize>,
    /// Width of the fully connected hidden layer; 0 for none.
    pub hidden: usize,
    /// What is normalised in each block. Default the batch.
    pub norm: CnnNorm,
}

/// What a block of the network normalises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CnnNorm {
    /// Each channel over the batch.
    #[default]
    Batch,
    /// Nothing; the convolutions have a bias instead.
    None,
}

impl CnnNorm {
    /// The names of all of them.
    pub const NAMES: [&'static str; 2] = ["batch", "none"];
}

impl Default for CnnSpec {
    /// Two blocks, of 16 and 32 channels, normalised, and a hidden layer of 64.
    fn default() -> Self {
        Self {
            channels: vec![16, 32],
            hidden: 64,
            norm: CnnNorm::Batch,
        }
    }
}

/// The network of a [`CnnSpec`].
#[derive(Module, Debug)]
pub struct Cnn {
    convolutions: Vec<Conv2d>,
    /// One a block, or none at all.
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
            let inputs = std::mem::replace(&mut channels, outputs);
            match spec.norm {
                CnnNorm::Batch => {
                    convolutions.push(draws.convolution(inputs, outputs));
                    norms.push(draws.batch_norm(outputs));
                }
                CnnNorm::None => convolutions.push(draws.biased_convolution(inputs, outputs)),
            }
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
        for (block, convolution) in self.convolutions.iter().enumerate() {
            // The maximum comes first: the rest then has a quarter of the work.
            x = nn::max_pool2d(&self.pool, nn::conv2d(convolution, x));
            x = match self.norms.get(block) {
                Some(norm) => nn::batch_norm(norm, x, Then::activate(Activation::Relu)),
                None => relu(x),
            };
        }
        let mut x: Tensor<2> = x.flatten(1, 3);
        if let Some(hidden) = &self.hidden {
            x = nn::linear(hidden, x, Activation::Relu);
        }
        nn::linear(&self.output, x, Activation::Identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all_moved, images, square, values};
    use crate::{cross_entropy, learning, trainable_parameters};
    use burn::module::Param;
    use burn::tensor::{Device, TensorData};

    fn plain(channels: Vec<usize>) -> CnnSpec {
        CnnSpec {
            channels,
            hidden: 0,
            norm: CnnNorm::None,
        }
    }

    #[test]
    fn names_are_those_of_configurations() {
        for (norm, name) in [CnnNorm::Batch, CnnNorm::None]
            .into_iter()
            .zip(CnnNorm::NAMES)
        {
            assert_eq!(serde_json::to_value(norm).unwrap().as_str(), Some(name));
        }
    }

    #[test]
    fn without_normalisation_a_bias_stands_for_two_numbers_a_channel() {
        let device = Device::flex().autodiff();
        let count = |norm| {
            let spec = CnnSpec {
                norm,
                ..CnnSpec::default()
            };
            let model = Cnn::new(&spec, square(1, 28), &mut Draws::new(0, &device));
            trainable_parameters(&model)
        };
        assert_eq!(count(CnnNorm::Batch), count(CnnNorm::None) + 16 + 32);
    }

    /// One image of 2 x 2, one channel, a kernel that takes the pixel itself and the one to its right.
    #[test]
    fn scores_are_those_that_are_computed_by_hand() {
        let device = Device::flex();
        let shape = ImageShape {
            classes: 2,
            ..square(1, 2)
        };
        let mut model = Cnn::new(&plain(vec![1]), shape, &mut Draws::new(0, &device));
        let of = |values: Vec<f32>, shape: [usize; 4]| {
            Param::from_data(TensorData::new(values, shape), &device)
        };
        let mut kernel = vec![0.0; 9];
        (kernel[4], kernel[5]) = (1.0, 2.0);
        model.convolutions[0].weight = of(kernel, [1, 1, 3, 3]);
        model.convolutions[0].bias = Some(Param::from_data([-1.0f32], &device));
        model.output.weight = Param::from_data([[1.0f32, -2.0]], &device);
        model.output.bias = Some(Param::from_data([0.5f32, 0.0], &device));
        // Convolved: (1 + 4, 2; -3 + 2, 1) - 1; the largest is 4.
        let image = Tensor::<4>::from_data([[[[1.0f32, 2.0], [-3.0, 1.0]]]], &device);
        assert_eq!(
            values(model.forward(image.clone()).flatten(0, 1)),
            [4.5, -8.0]
        );
        // All below 0: ReLU leaves the last layer's bias.
        assert_eq!(
            values(model.forward(image * -1.0 - 3.0).flatten(0, 1)),
            [0.5, 0.0]
        );
    }

    #[test]
    fn training_lowers_the_loss_and_moves_all_parameters() {
        let device = Device::flex().autodiff();
        let model = Cnn::new(
            &plain(vec![3, 4]),
            square(2, 8),
            &mut Draws::new(1, &device),
        );
        let (images, targets) = images([8, 2, 8, 8], 10, &device);
        let losses = |model: &Cnn| cross_entropy(model.forward(images.clone()), targets.clone());
        check_all_moved(&model, losses(&model));
        learning::falls(model, 40, [0.3, 0.1], losses);
    }
}
