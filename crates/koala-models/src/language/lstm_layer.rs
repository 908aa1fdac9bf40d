//! One layer of a long short-term memory.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use koala_ops::{LstmWeights, lstm};

use crate::Draws;

/// One LSTM layer, with the equations, gates and two biases of `torch.nn.LSTM`:
///
/// ```text
/// (i, f, g, o) = W_i x_t + b_i + W_h h_(t-1) + b_h
/// c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g)
/// h_t = sigmoid(o) tanh(c_t)
/// ```
#[derive(Module, Debug)]
pub struct LstmLayer {
    /// `[inputs, 4 hidden]`.
    input_weight: Param<Tensor<2>>,
    /// `[4 hidden]`.
    input_bias: Param<Tensor<1>>,
    /// `[hidden, 4 hidden]`.
    hidden_weight: Param<Tensor<2>>,
    /// `[4 hidden]`.
    hidden_bias: Param<Tensor<1>>,
}

/// What a layer remembers of each text, `[batch, hidden]` each.
#[derive(Debug, Clone)]
pub struct LstmState {
    /// h.
    pub hidden: Tensor<2>,
    /// c.
    pub cell: Tensor<2>,
}

impl LstmState {
    /// The same values without their history.
    pub fn detach(self) -> Self {
        Self {
            hidden: self.hidden.detach(),
            cell: self.cell.detach(),
        }
    }
}

impl LstmLayer {
    /// A layer with its initial weights, all from U(-k, k) with k = 1/sqrt(hidden), as `torch.nn.LSTM`.
    pub fn new(inputs: usize, hidden: usize, draws: &mut Draws) -> Self {
        let bound = 1.0 / (hidden.max(1) as f64).sqrt();
        Self {
            input_weight: draws.uniform([inputs, 4 * hidden], bound),
            input_bias: draws.uniform([4 * hidden], bound),
            hidden_weight: draws.uniform([hidden, 4 * hidden], bound),
            hidden_bias: draws.uniform([4 * hidden], bound),
        }
    }

    /// The state at the beginning of `batch` texts: zeros.
    pub fn start(&self, batch: usize) -> LstmState {
        let weight = self.hidden_weight.val();
        let zeros = Tensor::zeros([batch, weight.dims()[0]], &weight.device());
        LstmState {
            hidden: zeros.clone(),
            cell: zeros,
        }
    }

    /// `[time, batch, inputs]` to `[time, batch, hidden]`, and the state after it.
    pub fn forward(&self, input: Tensor<3>, state: LstmState) -> (Tensor<3>, LstmState) {
        let weights = LstmWeights {
            input_weight: self.input_weight.val(),
            input_bias: self.input_bias.val(),
            hidden_weight: self.hidden_weight.val(),
            hidden_bias: self.hidden_bias.val(),
        };
        let (outputs, [hidden, cell]) = lstm(input, weights, [state.hidden, state.cell]);
        (outputs, LstmState { hidden, cell })
    }

    /// All values, flat.
    #[cfg(test)]
    pub(super) fn values(&self) -> [Tensor<1>; 4] {
        [
            self.input_weight.val().flatten(0, 1),
            self.input_bias.val(),
            self.hidden_weight.val().flatten(0, 1),
            self.hidden_bias.val(),
        ]
    }
}
