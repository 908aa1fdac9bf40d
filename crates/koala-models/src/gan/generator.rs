//! The network that makes images.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::nn::conv::ConvTranspose2d;
use burn::tensor::Tensor;
use koala_ops::{Activation, Then, nn};

use super::DcganSpec;
use super::layers::{DEVIATION, Scale, growing};
use crate::ImageShape;
use crate::{Draws, SpecError};

/// DCGAN's generator: transposed 4 x 4 convolutions, the first from 1 x 1 to 4 x 4, each further one doubling height and
/// width; batch normalisation and ReLU between them, tanh at the end. No layer has a bias.
///
/// For images of 32 x 32 with C channels and a width w: noise, 4w channels of 4 x 4, 2w of 8 x 8, w of 16 x 16, C of
/// 32 x 32. Initialised as DCGAN: convolutions from N(0, 0.02^2), weights of the normalisation from N(1, 0.02^2), its biases 0.
///
/// A. Radford, L. Metz, S. Chintala: Unsupervised representation learning with deep convolutional generative adversarial
/// networks, ICLR 2016.
#[derive(Module, Debug)]
pub struct Generator {
    layers: Vec<ConvTranspose2d>,
    norms: Vec<BatchNorm>,
}

impl Generator {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be, or, as `images`, if it cannot make images of this shape.
    pub fn new(spec: &DcganSpec, shape: ImageShape, draws: &mut Draws) -> Result<Self, SpecError> {
        let channels = spec.channels(shape)?;
        let mut inputs = spec.noise;
        let mut layers = Vec::with_capacity(channels.len() + 1);
        let mut norms = Vec::with_capacity(channels.len());
        let mut scale = Scale::Whole;
        for outputs in channels {
            layers.push(growing([inputs, outputs], scale, draws));
            norms.push(draws.batch_norm_normal(outputs, DEVIATION));
            (inputs, scale) = (outputs, Scale::Two);
        }
        layers.push(growing([inputs, shape.channels], scale, draws));
        Ok(Self { layers, norms })
    }

    /// `[batch, noise]` to images in [-1, 1], `[batch, channels, height, width]`. Noise is meant to be from N(0, 1).
    pub fn forward(&self, noise: Tensor<2>) -> Tensor<4> {
        let [batch, numbers] = noise.dims();
        let mut x = noise.reshape([batch, numbers, 1, 1]);
        for (i, layer) in self.layers.iter().enumerate() {
            x = nn::conv_transpose2d(layer, x);
            if let Some(norm) = self.norms.get(i) {
                x = nn::batch_norm(norm, x, Then::activate(Activation::Relu));
            }
        }
        x.tanh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_normal, square};
    use crate::trainable_parameters;
    use burn::tensor::Device;

    fn generator(spec: &DcganSpec, shape: ImageShape, device: &Device) -> Generator {
        Generator::new(spec, shape, &mut Draws::new(5, device)).unwrap()
    }

    #[test]
    fn parameters_are_as_many_as_the_layers_hold() {
        let count = |noise, width, shape| {
            let spec = DcganSpec { noise, width };
            trainable_parameters(&generator(&spec, shape, &Device::flex().autodiff()))
        };
        for (n, w) in [(128, 64), (5, 3)] {
            let expected = 16 * (n * 4 * w + 8 * w * w + 2 * w * w + 3 * w) + 2 * (4 + 2 + 1) * w;
            assert_eq!(count(n, w, square(3, 32)), expected);
            assert_eq!(count(n, w, square(1, 8)), 16 * (n * w + w) + 2 * w);
        }
        // PyTorch's example: 100 numbers, width 64, images of 64 x 64.
        assert_eq!(count(100, 64, square(3, 64)), 3_576_704);
    }

    #[test]
    fn weights_have_the_statistics_of_dcgans() {
        let generator = generator(&DcganSpec::default(), square(3, 32), &Device::flex());
        for layer in &generator.layers {
            check_normal(&layer.weight.val(), 0.02);
        }
        for norm in &generator.norms {
            check_normal(&(norm.gamma.val() - 1.0), 0.02);
            assert_eq!(norm.beta.val().abs().max().into_scalar::<f32>(), 0.0);
        }
    }

    #[test]
    fn images_have_the_shape_and_range_asked_for() {
        let device = Device::flex().autodiff();
        let spec = DcganSpec { noise: 7, width: 2 };
        for (channels, side) in [(1, 8), (3, 16), (2, 32), (1, 128)] {
            let generator = generator(&spec, square(channels, side), &device);
            // Noise of a size that saturates.
            let noise = Tensor::arange(0..21, &device).float().reshape([3, 7]) * 1e3;
            let images = generator.forward(noise);
            assert_eq!(images.dims(), [3, channels, side, side]);
            assert!(images.abs().max().into_scalar::<f32>() <= 1.0);
        }
    }
}
