//! Layer normalisation.

use burn::tensor::{Tensor, module};
use rayon::prelude::*;

use crate::choice::{operand, operands, optional_operand};
use crate::dense::Dense;
use crate::kernel::{RowMoments, add, normalise_row, normalise_row_back, rows_a_chunk};
use crate::operation::Operation;

/// `(x - mean) / sqrt(variance + epsilon) gamma + beta`, each row of the last dimension by its own mean and variance, the
/// latter the mean of the squares. `gamma` and `beta` are `[columns]`; without `beta`, nothing is added.
///
/// # Panics
///
/// As `burn::tensor::module::layer_norm`, if the sizes do not fit.
pub fn layer_norm<const D: usize>(
    values: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let shape = values.dims();
    let [columns] = gamma.dims();
    let fits = columns > 0
        && shape.last() == Some(&columns)
        && (beta.as_ref()).is_none_or(|beta| beta.dims() == [columns]);
    let chosen = operands([
        operand(&values),
        operand(&gamma),
        optional_operand(beta.as_ref()),
    ]);
    let Some(operands) = chosen.filter(|_| fits) else {
        return module::layer_norm(values, gamma, beta, epsilon);
    };

    let (tensors, recording) = operands.into_parts();
    let [values, gamma, beta] = tensors.map(Dense::of);
    let zeros;
    let beta: &[f32] = if beta.is_empty() {
        zeros = vec![0.0; columns];
        &zeros
    } else {
        &beta
    };
    let mut results = vec![0.0; values.len()];
    let mut moments = vec![RowMoments::default(); values.len() / columns];
    let rows = rows_a_chunk(columns);
    results
        .par_chunks_mut(rows * columns)
        .zip(values.par_chunks(rows * columns))
        .zip(moments.par_chunks_mut(rows))
        .for_each(|((results, values), moments)| {
            let values = values.chunks_exact(columns).zip(moments);
            for (result, (row, moments)) in results.chunks_exact_mut(columns).zip(values) {
                *moments = normalise_row(result, row, &gamma, beta, epsilon as f32);
            }
        });
    recording.finish(Dense::new(results, shape), || LayerNorm {
        values,
        gamma,
        moments,
    })
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct LayerNorm {
    values: Dense,
    gamma: Dense,
    moments: Vec<RowMoments>,
}

impl Operation<3> for LayerNorm {
    fn gradients(self, mut output: Dense, wanted: [bool; 3]) -> [Option<Dense>; 3] {
        let Self {
            values,
            gamma,
            moments,
        } = self;
        let columns = gamma.len();
        let rows = rows_a_chunk(columns);
        // Of each chunk, the gradients of gamma and beta, which are added in order.
        let sums: Vec<[Vec<f32>; 2]> = output
            .writable()
            .par_chunks_mut(rows * columns)
            .zip(values.par_chunks(rows * columns))
            .zip(moments.par_chunks(rows))
            .map(|((gradients, values), moments)| {
                let mut sums = [vec![0.0; columns], vec![0.0; columns]];
                let values = values.chunks_exact(columns).zip(moments);
                let rows = gradients.chunks_exact_mut(columns).zip(values);
                for (gradient, (row, moments)) in rows {
                    let [of_gamma, of_beta] = &mut sums;
                    normalise_row_back(gradient, row, &gamma, *moments, [of_gamma, of_beta]);
                }
                sums
            })
            .collect();
        let total = |part: usize| {
            let mut total = vec![0.0; columns];
            for sums in &sums {
                add(&mut total, &sums[part]);
            }
            Dense::new(total, [columns])
        };
        [
            wanted[0].then_some(output),
            wanted[1].then(|| total(0)),
            wanted[2].then(|| total(1)),
        ]
    }
}
