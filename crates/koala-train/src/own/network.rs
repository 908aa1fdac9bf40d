//! What a network of your own has to say.

use std::any::Any;
use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Tensor;
use koala_models::stored::{StateError, weights_to_bytes};

use super::Samples;

/// A network of your own: what it gives of a batch and, if you wish, what its losses are.
///
/// What it draws in its forward pass from Burn's generator (`burn::nn::Dropout`) is not the same after a stop, nor beside other runs.
pub trait OwnNetwork: Module + 'static {
    /// What it learns from.
    type Samples: Samples;

    /// What it gives of a batch: scores before the softmax, `[batch, classes]`, or of what has no classes numbers, `[batch, 1]`.
    fn forward(&self, inputs: <Self::Samples as Samples>::Inputs) -> Tensor<2>;

    /// The loss of each sample, `[batch]`, of the outputs of [`forward`](Self::forward): KOALA needs one a sample, and every optimizer
    /// has the gradient of their mean. Default [`Samples::losses`].
    fn losses(
        &self,
        outputs: Tensor<2>,
        targets: <Self::Samples as Samples>::Targets,
    ) -> Tensor<1> {
        Self::Samples::losses(outputs, targets)
    }
}

/// A trained network of your own; [`run::Network::own`](crate::run::Network::own) gives it back as what it is.
pub trait Trained: Any + Debug {
    /// Its parameters, as [`weights_to_bytes`].
    ///
    /// # Errors
    ///
    /// [`StateError`] if the device fails.
    fn weights(&self) -> Result<Vec<u8>, StateError>;
}

impl<M: OwnNetwork> Trained for M {
    fn weights(&self) -> Result<Vec<u8>, StateError> {
        weights_to_bytes(self)
    }
}
