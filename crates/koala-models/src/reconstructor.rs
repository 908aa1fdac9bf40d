//! What the training loop asks of a network that gives images back.

use burn::module::Module;
use burn::tensor::Tensor;

/// A network that gives back what it was given.
pub trait Reconstructor: Module + 'static {
    /// Scores before the logistic function, `[batch, channels * height * width]`, one a pixel of the images, `[batch, channels,
    /// height, width]`, whose values are in [0, 1].
    fn reconstruct(&self, images: Tensor<4>) -> Tensor<2>;
}
