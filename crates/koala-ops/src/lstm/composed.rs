//! An LSTM of Burn's own operations.

use burn::tensor::{Tensor, activation::sigmoid};

use super::LstmWeights;

/// What [`lstm`](super::lstm) does, of a window that is not empty.
pub(super) fn composed(
    input: Tensor<3>,
    weights: LstmWeights,
    [mut hidden, mut cell]: [Tensor<2>; 2],
) -> (Tensor<3>, [Tensor<2>; 2]) {
    let [time, batch, inputs] = input.dims();
    let gates = 4 * hidden.dims()[1];
    let bias = (weights.input_bias + weights.hidden_bias).unsqueeze();
    let rows = input.reshape([time * batch, inputs]);
    let from_input = rows.matmul(weights.input_weight) + bias;
    let steps = from_input.reshape([time, batch, gates]).split(1, 0);
    let mut outputs = Vec::with_capacity(time);
    for step in steps {
        let gates = step.squeeze_dim(0) + hidden.matmul(weights.hidden_weight.clone());
        let size = gates.dims()[1] / 4;
        let gate = |n: usize| gates.clone().narrow(1, n * size, size);
        cell = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * gate(2).tanh();
        hidden = sigmoid(gate(3)) * cell.clone().tanh();
        outputs.push(hidden.clone());
    }
    (Tensor::stack(outputs, 0), [hidden, cell])
}
