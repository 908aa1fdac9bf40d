//! A fully connected layer.

use burn::tensor::Tensor;
use burn::tensor::module;
use rayon::prelude::*;

use crate::Activation;
use crate::choice::{operand, operands, optional_operand};
use crate::dense::Dense;
use crate::kernel::{
    Matrix, MatrixMut, Store, Threads, add, add_bias, add_bias_relu, mask_where_zero, multiply,
    rows_a_chunk, sum_rows,
};
use crate::operation::Operation;

/// `activation(input weight + bias)`, `[.., inputs]` to `[.., outputs]`; `weight` is `[inputs, outputs]`, `bias` is `[outputs]`.
///
/// # Panics
///
/// As `burn::tensor::module::linear`, if the sizes do not fit.
pub fn linear<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let mut shape = input.dims();
    let [inputs, outputs] = weight.dims();
    let fits =
        shape.last() == Some(&inputs) && bias.as_ref().is_none_or(|bias| bias.dims() == [outputs]);
    let chosen = operands([
        operand(&input),
        operand(&weight),
        optional_operand(bias.as_ref()),
    ]);
    let Some(operands) = chosen.filter(|_| fits) else {
        return activation.compose(module::linear(input, weight, bias));
    };

    let (tensors, recording) = operands.into_parts();
    let [input, weight, bias] = tensors.map(Dense::of);
    let rows = shape[..D - 1].iter().product();
    let sizes = Sizes {
        rows,
        inputs,
        outputs,
    };
    let mut results = vec![0.0; rows * outputs];
    multiply(
        &mut MatrixMut::new(&mut results, rows, outputs),
        Store::Set,
        Matrix::new(&input, rows, inputs),
        Matrix::new(&weight, inputs, outputs),
        Threads::All,
    );
    finish(&mut results, outputs, &bias, activation);
    shape[D - 1] = outputs;
    let results = Dense::new(results, shape);
    let kept = (activation != Activation::Identity).then(|| results.clone());
    recording.finish(results, || Linear {
        sizes,
        input,
        weight,
        kept,
    })
}

/// Adds the bias, if there is one, and applies the activation.
fn finish(results: &mut [f32], outputs: usize, bias: &[f32], activation: Activation) {
    if results.is_empty() || (bias.is_empty() && activation == Activation::Identity) {
        return;
    }
    let none;
    let bias = if bias.is_empty() {
        none = vec![0.0; outputs];
        &none
    } else {
        bias
    };
    let rows = results.par_chunks_mut(outputs * rows_a_chunk(outputs));
    rows.for_each(|rows| match activation {
        Activation::Identity => add_bias(rows, bias),
        Activation::Relu => add_bias_relu(rows, bias),
    });
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Linear {
    sizes: Sizes,
    input: Dense,
    weight: Dense,
    /// The results, if an activation was applied.
    kept: Option<Dense>,
}

impl Operation<3> for Linear {
    fn gradients(self, mut output: Dense, wanted: [bool; 3]) -> [Option<Dense>; 3] {
        let Sizes {
            rows,
            inputs,
            outputs,
        } = self.sizes;
        if let Some(results) = &self.kept {
            mask(output.writable(), results);
        }
        let upstream = Matrix::new(&output, rows, outputs);
        let of_input = || {
            let mut gradient = vec![0.0; rows * inputs];
            multiply(
                &mut MatrixMut::new(&mut gradient, rows, inputs),
                Store::Set,
                upstream,
                Matrix::new(&self.weight, inputs, outputs).transposed(),
                Threads::All,
            );
            Dense::new(gradient, self.input.shape().clone())
        };
        let of_weight = || {
            let mut gradient = vec![0.0; inputs * outputs];
            multiply(
                &mut MatrixMut::new(&mut gradient, inputs, outputs),
                Store::Set,
                Matrix::new(&self.input, rows, inputs).transposed(),
                upstream,
                Threads::All,
            );
            Dense::new(gradient, [inputs, outputs])
        };
        let of_bias = || Dense::new(sum_over_rows(&output, outputs), [outputs]);
        [
            wanted[0].then(of_input),
            wanted[1].then(of_weight),
            wanted[2].then(of_bias),
        ]
    }
}

/// The gradient of what was given to the activation.
fn mask(gradient: &mut [f32], results: &[f32]) {
    let chunks = gradient.par_chunks_mut(crate::kernel::CHUNK);
    chunks
        .zip(results.par_chunks(crate::kernel::CHUNK))
        .for_each(|(gradient, results)| mask_where_zero(gradient, results));
}

/// The sum of rows of `columns` elements, in fixed chunks that are added in order.
pub(crate) fn sum_over_rows(values: &[f32], columns: usize) -> Vec<f32> {
    let mut total = vec![0.0; columns];
    if values.is_empty() {
        return total;
    }
    let chunks = values.par_chunks(columns * rows_a_chunk(columns));
    let sums: Vec<Vec<f32>> = chunks
        .map(|rows| {
            let mut sum = vec![0.0; columns];
            sum_rows(&mut sum, rows);
            sum
        })
        .collect();
    for sum in sums {
        add(&mut total, &sum);
    }
    total
}
