//! The network that judges images.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Tensor, activation::leaky_relu};
use koala_ops::nn;

use super::DcganSpec;
use super::layers::{Scale, shrinking, transposed};
use crate::ImageShape;
use crate::{Draws, SpecError};

/// DCGAN's discriminator as a critic: 4 x 4 convolutions that halve height and width, each followed by a leaky ReLU of
/// slope 0.2, and a last one from 4 x 4 pixels to one score.
///
/// There is no normalisation: the gradient penalty is about one image's score, which must not depend on the other images
/// of its batch. The last convolution has no bias, since it would cancel in the difference of scores that the critic
/// learns from. Initialised as DCGAN: weights from N(0, 0.02^2), biases 0.
///
/// A. Radford, L. Metz, S. Chintala: Unsupervised representation learning with deep convolutional generative adversarial
/// networks, ICLR 2016. I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved training of Wasserstein
/// GANs, NeurIPS 2017.
#[derive(Module, Debug)]
pub struct Critic {
    layers: Vec<Conv2d>,
    output: Conv2d,
}

/// Slope of the leaky ReLU for what is not above 0.
const SLOPE: f64 = 0.2;

impl Critic {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be, or, as `images`, if it cannot judge images of this shape.
    pub fn new(spec: &DcganSpec, shape: ImageShape, draws: &mut Draws) -> Result<Self, SpecError> {
        let channels = spec.channels(shape)?;
        let mut inputs = shape.channels;
        let mut layers = Vec::with_capacity(channels.len());
        for outputs in channels.into_iter().rev() {
            layers.push(shrinking([inputs, outputs], Scale::Two, true, draws));
            inputs = outputs;
        }
        let output = shrinking([inputs, 1], Scale::Whole, false, draws);
        Ok(Self { layers, output })
    }

    /// The score of each image: `[batch, channels, height, width]` to `[batch]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<1> {
        let x = self
            .layers
            .iter()
            .fold(images, |x, layer| leaky_relu(nn::conv2d(layer, x), SLOPE));
        nn::conv2d(&self.output, x).flatten(0, 3)
    }

    /// The gradient of each image's score with respect to its pixels, `[batch, channels, height, width]` to the same.
    ///
    /// It is itself a differentiable function of the weights, which the gradient penalty needs and automatic differentiation
    /// of the first order does not give. The network is linear on either side of each leaky ReLU, so its gradient is
    ///
    /// ```text
    /// W_1' s_1 W_2' s_2 .. W_n' s_n V'
    /// ```
    ///
    /// with the transposes of the convolutions and the slopes s at this image, built here out of ordinary operations. The
    /// slopes are constants wherever a derivative exists, so that one backward pass through this is exact. Nothing flows
    /// back into the images.
    pub fn input_gradient(&self, images: Tensor<4>) -> Tensor<4> {
        let mut x = images.detach();
        let mut slopes = Vec::with_capacity(self.layers.len());
        // Nothing is recorded on the way to the slopes.
        for layer in self.layers.clone().no_grad() {
            x = nn::conv2d(&layer, x);
            let positive = x.clone().greater_scalar(0.0);
            slopes.push(x.full_like(SLOPE).mask_fill(positive, 1.0));
            x = leaky_relu(x, SLOPE);
        }
        // The last convolution's part is the same for every image.
        let mut gradient = self.output.weight.val().expand(x.dims());
        for (layer, slope) in self.layers.iter().zip(slopes).rev() {
            gradient = transposed(layer, Scale::Two, gradient * slope);
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_normal, images, square};
    use crate::trainable_parameters;
    use burn::tensor::Device;

    fn critic(width: usize, shape: ImageShape, device: &Device) -> Critic {
        let spec = DcganSpec {
            width,
            ..DcganSpec::default()
        };
        Critic::new(&spec, shape, &mut Draws::new(5, device)).unwrap()
    }

    #[test]
    fn parameters_are_as_many_as_the_layers_hold() {
        let count =
            |width, shape| trainable_parameters(&critic(width, shape, &Device::flex().autodiff()));
        for w in [64, 3] {
            let expected = 16 * (3 * w + 2 * w * w + 8 * w * w + 4 * w) + (1 + 2 + 4) * w;
            assert_eq!(count(w, square(3, 32)), expected);
            assert_eq!(count(w, square(1, 8)), 16 * (w + w) + w);
        }
        // PyTorch's example for images of 64 x 64, without its normalisation (1,792) and with biases (960).
        assert_eq!(count(64, square(3, 64)), 2_765_568 - 1_792 + 960);
    }

    #[test]
    fn weights_have_the_statistics_of_dcgans() {
        let critic = critic(64, square(3, 32), &Device::flex());
        for layer in &critic.layers {
            check_normal(&layer.weight.val(), 0.02);
            let bias = layer.bias.as_ref().unwrap().val();
            assert_eq!(bias.abs().max().into_scalar::<f32>(), 0.0);
        }
        check_normal(&critic.output.weight.val(), 0.02);
        assert!(critic.output.bias.is_none());
    }

    #[test]
    fn the_chain_is_the_gradient_that_differentiation_gives() {
        let device = Device::flex().autodiff();
        for (channels, side) in [(1, 8), (3, 32), (2, 64)] {
            let critic = critic(3, square(channels, side), &device);
            let (images, _) = images([4, channels, side, side], 1, &device);
            let images = images.require_grad();
            // Scores do not depend on other images, so the gradient of the sum holds each image's own.
            let gradients = critic.forward(images.clone()).sum().backward();
            let expected = images.grad(&gradients).unwrap();
            let found = critic.input_gradient(images).inner();
            let largest = expected.clone().abs().max().into_scalar::<f32>();
            let difference = (found - expected).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-6 * largest, "{difference} of {largest}");
        }
    }

    #[test]
    fn scores_do_not_depend_on_the_rest_of_the_batch() {
        let device = Device::flex().autodiff();
        let critic = critic(3, square(3, 16), &device);
        let (images, _) = images([5, 3, 16, 16], 1, &device);
        let all = critic.forward(images.clone()).into_data();
        let alone = critic.forward(images.narrow(0, 2, 1)).into_data();
        let all: Vec<f32> = all.try_into_vec().unwrap();
        let alone: Vec<f32> = alone.try_into_vec().unwrap();
        assert!((all[2] - alone[0]).abs() <= 1e-6 * all[2].abs());
    }
}
