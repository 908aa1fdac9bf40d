//! GELU.

use burn::tensor::{Tensor, activation};
use rayon::prelude::*;

use crate::choice::{operand, operands};
use crate::dense::Dense;
use crate::kernel::{CHUNK, gelu_back, gelu_into};
use crate::operation::Operation;

/// x times the standard normal distribution's share below x, by the error function, not the approximation by tanh.
///
/// D. Hendrycks and K. Gimpel: Gaussian error linear units, 2016.
pub fn gelu<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    let Some(operands) = operands([operand(&values)]) else {
        return activation::gelu(values);
    };
    let ([values], recording) = operands.into_parts();
    let values = Dense::of(values);
    let mut results = vec![0.0; values.len()];
    results
        .par_chunks_mut(CHUNK)
        .zip(values.par_chunks(CHUNK))
        .for_each(|(results, values)| gelu_into(results, values));
    let results = Dense::new(results, values.shape().clone());
    recording.finish(results, || Gelu(values))
}

/// What GELU was applied to.
#[derive(Clone, Debug)]
struct Gelu(Dense);

impl Operation<1> for Gelu {
    fn gradients(self, mut output: Dense, [wanted]: [bool; 1]) -> [Option<Dense>; 1] {
        [wanted.then(|| {
            let chunks = output.writable().par_chunks_mut(CHUNK);
            chunks
                .zip(self.0.par_chunks(CHUNK))
                .for_each(|(gradients, values)| gelu_back(gradients, values));
            output
        })]
    }
}
