//! The weights of an LSTM.

use burn::tensor::Tensor;

/// The weights of an LSTM layer; the gates are i, f, g and o, side by side.
#[derive(Clone, Debug)]
pub struct LstmWeights {
    /// `[inputs, 4 hidden]`.
    pub input_weight: Tensor<2>,
    /// `[4 hidden]`.
    pub input_bias: Tensor<1>,
    /// `[hidden, 4 hidden]`.
    pub hidden_weight: Tensor<2>,
    /// `[4 hidden]`.
    pub hidden_bias: Tensor<1>,
}
