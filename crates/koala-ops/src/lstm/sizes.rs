//! The sizes of a window, and what goes into it.

use super::LstmWeights;
use crate::dense::Dense;
use burn::tensor::Tensor;

/// The sizes of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub time: usize,
    pub batch: usize,
    pub inputs: usize,
    pub hidden: usize,
}

impl Sizes {
    /// Texts of all times.
    pub fn rows(&self) -> usize {
        self.time * self.batch
    }

    /// Gates of a text at a time.
    pub fn gates(&self) -> usize {
        4 * self.hidden
    }

    /// Whether all is of these sizes, and not empty.
    pub fn fit(&self, weights: &LstmWeights, state: &[Tensor<2>; 2]) -> bool {
        let gates = self.gates();
        self.hidden > 0
            && weights.input_weight.dims() == [self.inputs, gates]
            && weights.hidden_weight.dims() == [self.hidden, gates]
            && [&weights.input_bias, &weights.hidden_bias].map(|bias| bias.dims()) == [[gates]; 2]
            && state.each_ref().map(|part| part.dims()) == [[self.batch, self.hidden]; 2]
    }
}

/// A layer with the input of a window and the state before it.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub sizes: Sizes,
    /// `[time, batch, inputs]`.
    pub input: Dense,
    /// `[inputs, 4 hidden]`.
    pub input_weight: Dense,
    /// `[hidden, 4 hidden]`.
    pub hidden_weight: Dense,
    /// `[batch, hidden]`.
    pub hidden: Dense,
    /// `[batch, hidden]`.
    pub cell: Dense,
}
