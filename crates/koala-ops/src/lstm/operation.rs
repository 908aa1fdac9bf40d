//! An LSTM layer as an operation.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Shape, Tensor};

use super::LstmWeights;
use super::back::{Passed, back};
use super::composed::composed;
use super::forward::{Window, forward};
use super::sizes::{Layer, Sizes};
use crate::choice::{operand, operands};
use crate::dense::Dense;
use crate::kernel::{Matrix, MatrixMut, Store, Threads, add, multiply};
use crate::linear::sum_over_rows;
use crate::operation::{Operation, Recording};

/// An LSTM layer over a window, with the equations, gates and two biases of `torch.nn.LSTM`:
///
/// ```text
/// (i, f, g, o) = W_i x_t + b_i + W_h h_(t-1) + b_h
/// c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g)
/// h_t = sigmoid(o) tanh(c_t)
/// ```
///
/// `[time, batch, inputs]` and the state before it, h and c, `[batch, hidden]` each, to the hidden states of all times,
/// `[time, batch, hidden]`, and the state after it. Gradients go from all results to all that is given.
///
/// # Panics
///
/// As Burn's `matmul`, if the sizes do not fit.
pub fn lstm(
    input: Tensor<3>,
    weights: LstmWeights,
    state: [Tensor<2>; 2],
) -> (Tensor<3>, [Tensor<2>; 2]) {
    let [time, batch, inputs] = input.dims();
    let [_, hidden] = state[0].dims();
    if time * batch == 0 {
        let outputs = Tensor::zeros([time, batch, hidden], &input.device());
        return (outputs, state);
    }
    let sizes = Sizes {
        time,
        batch,
        inputs,
        hidden,
    };
    let chosen = operands([
        operand(&input),
        operand(&weights.input_weight),
        operand(&weights.input_bias),
        operand(&weights.hidden_weight),
        operand(&weights.hidden_bias),
        operand(&state[0]),
        operand(&state[1]),
    ]);
    let Some(operands) = chosen.filter(|_| sizes.fit(&weights, &state)) else {
        return composed(input, weights, state);
    };

    let (tensors, recording) = operands.into_parts();
    let tensors = tensors.map(Dense::of);
    let [
        input,
        input_weight,
        input_bias,
        hidden_weight,
        hidden_bias,
        hidden,
        cell,
    ] = tensors;
    let layer = Layer {
        sizes,
        input,
        input_weight,
        hidden_weight,
        hidden,
        cell,
    };
    let mut bias = input_bias.to_vec();
    add(&mut bias, &hidden_bias);
    let window = forward(&layer, &bias);
    record(recording, layer, window)
}

/// The results as tensors.
fn record(recording: Recording<7>, layer: Layer, window: Window) -> (Tensor<3>, [Tensor<2>; 2]) {
    let Sizes {
        time,
        batch,
        hidden,
        ..
    } = layer.sizes;
    let Window {
        gates,
        cells,
        outputs,
    } = window;
    let state = batch * hidden;
    // Copies, so that who carries them does not hold the window.
    let last = [&outputs, &cells].map(|values| {
        let values = values[(time - 1) * state..].to_vec();
        Dense::new(values, [batch, hidden])
    });
    let outputs = Dense::new(outputs, [time, batch, hidden]);
    if !recording.tracked() {
        let last = last.map(|last| recording.constant(last));
        let outputs = recording.constant(outputs);
        return (outputs, last);
    }
    let of_last = [Later::default(), Later::default()];
    let operation = Lstm {
        layer,
        outputs: outputs.clone(),
        gates,
        cells,
        of_last: of_last.clone(),
    };
    let outputs = recording.finish(outputs, || operation);
    let [hidden, cell] = last;
    let [of_hidden, of_cell] = of_last;
    let hidden = carried(&outputs, hidden, of_hidden);
    let cell = carried(&outputs, cell, of_cell);
    (outputs, [hidden, cell])
}

/// A part of the state after the window as a tensor, whose gradient goes into the window with that of the outputs.
fn carried(outputs: &Tensor<3>, values: Dense, gradient: Later) -> Tensor<2> {
    let Some(operands) = operands([operand(outputs)]) else {
        unreachable!("what an operation gives is on flex");
    };
    let shape = outputs.shape();
    let (_, recording) = operands.into_parts();
    recording.finish(values, || Carried { shape, gradient })
}

/// The gradient of a part of the state after the window, once it is known.
#[derive(Clone, Debug, Default)]
struct Later(Arc<Mutex<Option<Dense>>>);

impl Later {
    fn set(&self, gradient: Dense) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(gradient);
    }

    /// So many zeros if the loss does not depend on it.
    fn take(&self, count: usize) -> Vec<f32> {
        let gradient = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        gradient.map_or_else(|| vec![0.0; count], |gradient| gradient.to_vec())
    }
}

/// A part of the state after the window. Burn's nodes have one result; this one lies behind that of the window, so that its
/// gradient is known before that one is asked for its own.
#[derive(Clone, Debug)]
struct Carried {
    /// That of the outputs.
    shape: Shape,
    gradient: Later,
}

impl Operation<1> for Carried {
    fn gradients(self, output: Dense, _: [bool; 1]) -> [Option<Dense>; 1] {
        self.gradient.set(output);
        let zeros = vec![0.0; self.shape.num_elements()];
        [Some(Dense::new(zeros, self.shape))]
    }
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Lstm {
    layer: Layer,
    outputs: Dense,
    gates: Vec<f32>,
    cells: Vec<f32>,
    of_last: [Later; 2],
}

impl Operation<7> for Lstm {
    fn gradients(mut self, output: Dense, wanted: [bool; 7]) -> [Option<Dense>; 7] {
        let sizes = self.layer.sizes;
        let Sizes {
            batch,
            inputs,
            hidden,
            ..
        } = sizes;
        let [mut of_hidden, mut of_cell] = self.of_last.map(|later| later.take(batch * hidden));
        let passed = Passed {
            layer: &self.layer,
            cells: &self.cells,
            output: &output,
        };
        back(&passed, &mut self.gates, [&mut of_hidden, &mut of_cell]);

        let gates = Matrix::new(&self.gates, sizes.rows(), sizes.gates());
        let of_input = || {
            let weight = Matrix::new(&self.layer.input_weight, inputs, sizes.gates());
            let gradient = product(gates, weight.transposed());
            Dense::new(gradient, self.layer.input.shape().clone())
        };
        let of_input_weight = || {
            let input = Matrix::new(&self.layer.input, sizes.rows(), inputs);
            Dense::new(product(input.transposed(), gates), [inputs, sizes.gates()])
        };
        // Before the first time, the state that was given; before another, the output of the one before.
        let of_hidden_weight = || {
            let later = sizes.rows() - batch;
            let state = Matrix::new(&self.layer.hidden, batch, hidden);
            let first = Matrix::new(&self.gates, batch, sizes.gates());
            let outputs = Matrix::new(&self.outputs, later, hidden);
            let others = Matrix::new(&self.gates[batch * sizes.gates()..], later, sizes.gates());
            let mut gradient = product(state.transposed(), first);
            multiply(
                &mut MatrixMut::new(&mut gradient, hidden, sizes.gates()),
                Store::Add,
                outputs.transposed(),
                others,
                Threads::All,
            );
            Dense::new(gradient, [hidden, sizes.gates()])
        };
        let of_bias = (wanted[2] || wanted[4])
            .then(|| Dense::new(sum_over_rows(&self.gates, sizes.gates()), [sizes.gates()]));
        let state = |gradient| Dense::new(gradient, [batch, hidden]);
        [
            wanted[0].then(of_input),
            wanted[1].then(of_input_weight),
            of_bias.clone().filter(|_| wanted[2]),
            wanted[3].then(of_hidden_weight),
            of_bias.filter(|_| wanted[4]),
            wanted[5].then(|| state(of_hidden)),
            wanted[6].then(|| state(of_cell)),
        ]
    }
}

/// The product of two matrices.
fn product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let mut values = vec![0.0; a.rows * b.columns];
    multiply(
        &mut MatrixMut::new(&mut values, a.rows, b.columns),
        Store::Set,
        a,
        b,
        Threads::All,
    );
    values
}
