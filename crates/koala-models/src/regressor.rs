//! What the training loop asks of a network that tells a number.

use burn::module::Module;
use burn::tensor::Tensor;

/// A network that tells a number of every row.
pub trait Regressor: Module + 'static {
    /// Numbers, `[batch]`, of rows of features, `[batch, columns]`.
    fn tell(&self, rows: Tensor<2>) -> Tensor<1>;
}
