//! What follows a linear map.

use burn::tensor::{Tensor, activation};

/// The function that is applied to the results of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// x itself.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// With Burn's operations.
    pub(crate) fn compose<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => tensor,
            Self::Relu => activation::relu(tensor),
        }
    }
}
