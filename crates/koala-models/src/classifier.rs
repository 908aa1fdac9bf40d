//! What the training loop asks of a network.

use burn::module::Module;
use burn::tensor::Tensor;

/// A network that gives every class of an image a score.
pub trait Classifier: Module + 'static {
    /// Scores before the softmax, `[batch, classes]`, of normalised images, `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;
}
