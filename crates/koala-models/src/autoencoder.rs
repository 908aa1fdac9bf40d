//! A deep autoencoder of images.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Draws, ImageShape, Mlp, Reconstructor};

/// Fully connected layers with ReLU between them from the pixels through a narrow layer, the code, back to the pixels.
///
/// G. E. Hinton, R. R. Salakhutdinov: *Reducing the dimensionality of data with neural networks*, Science 313, 2006; with ReLU
/// for their logistic units, and PyTorch's initial weights for their pre-training. Nothing is normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderSpec {
    /// Widths of the hidden layers, the code among them; none at all gives a linear map of the pixels.
    pub hidden: Vec<usize>,
}

impl Default for AutoencoderSpec {
    /// 256, 64, a code of 16, 64 and 256.
    fn default() -> Self {
        Self {
            hidden: vec![256, 64, 16, 64, 256],
        }
    }
}

/// The network of an [`AutoencoderSpec`].
#[derive(Module, Debug)]
pub struct Autoencoder {
    layers: Mlp,
}

impl Autoencoder {
    /// The network with its initial weights. The number of classes means nothing to it.
    pub fn new(spec: &AutoencoderSpec, shape: ImageShape, draws: &mut Draws) -> Self {
        let pixels = shape.channels * shape.height * shape.width;
        Self {
            layers: Mlp::between(pixels, &spec.hidden, pixels, draws),
        }
    }
}

impl Reconstructor for Autoencoder {
    fn reconstruct(&self, images: Tensor<4>) -> Tensor<2> {
        self.layers.through(images.flatten(1, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_all_moved, images, square};
    use crate::{binary_cross_entropy, learning, trainable_parameters};
    use burn::tensor::{Device, activation::sigmoid};
    use proptest::prelude::*;

    fn losses(model: &Autoencoder, images: Tensor<4>) -> Tensor<1> {
        binary_cross_entropy(model.reconstruct(images.clone()), images.flatten(1, 3))
    }

    /// Images from 0 to 1.
    fn units(shape: [usize; 4]) -> Tensor<4> {
        sigmoid(images(shape, 10, &Device::flex().autodiff()).0 * 4.0)
    }

    #[test]
    fn parameters_are_those_of_its_layers() {
        let device = Device::flex().autodiff();
        let spec = AutoencoderSpec::default();
        let model = Autoencoder::new(&spec, square(1, 28), &mut Draws::new(0, &device));
        let widths = [784, 256, 64, 16, 64, 256, 784];
        let expected: usize = widths.windows(2).map(|w| (w[0] + 1) * w[1]).sum();
        assert_eq!(trainable_parameters(&model), expected);
    }

    #[test]
    fn training_lowers_the_loss_and_moves_all_parameters() {
        let device = Device::flex().autodiff();
        let spec = AutoencoderSpec {
            hidden: vec![12, 5, 12],
        };
        let model = Autoencoder::new(&spec, square(2, 4), &mut Draws::new(1, &device));
        let images = units([6, 2, 4, 4]);
        check_all_moved(&model, losses(&model, images.clone()));
        learning::falls(model, 80, [0.3, 1.0], |model| losses(model, images.clone()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_form_of_images_comes_back(
            batch in 1usize..4, channels in 1usize..4, height in 1usize..6, width in 1usize..6,
            hidden in proptest::collection::vec(1usize..6, 0..4),
        ) {
            let shape = ImageShape { channels, height, width, classes: 1 };
            let device = Device::flex().autodiff();
            let model = Autoencoder::new(&AutoencoderSpec { hidden }, shape, &mut Draws::new(2, &device));
            let images = units([batch, channels, height, width]);
            let found = model.reconstruct(images.clone());
            prop_assert_eq!(found.dims(), [batch, channels * height * width]);
            let losses: Vec<f32> = losses(&model, images).inner().into_data().try_into_vec().unwrap();
            prop_assert!(losses.len() == batch && losses.iter().all(|l| l.is_finite() && *l > 0.0));
        }
    }
}
