//! Dropout as an operation.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::DropoutMask;
use crate::choice::{operand, operands};
use crate::dense::Dense;
use crate::kernel::{CHUNK, drop_onto, drop_within};
use crate::operation::Operation;

/// Sets to 0 what the mask does not keep and multiplies the rest by its factor.
pub fn dropout<const D: usize>(values: Tensor<D>, mask: &DropoutMask) -> Tensor<D> {
    let Some(operands) = operands([operand(&values)]) else {
        let factors = factors(mask, &values);
        return values * factors;
    };
    // What is not held elsewhere can be written to.
    drop(values);
    let ([values], recording) = operands.into_parts();
    let mut values = Dense::of(values);
    let kept = draw(mask, values.len());
    let factor = mask.factor();
    multiply(values.writable(), &kept, factor);
    recording.finish(values, || Dropout { kept, factor })
}

/// `base + dropout(values)`, of the same shape.
pub fn add_dropped<const D: usize>(
    base: Tensor<D>,
    values: Tensor<D>,
    mask: &DropoutMask,
) -> Tensor<D> {
    let same = base.dims() == values.dims();
    let operands = operands([operand(&base), operand(&values)]);
    let Some(operands) = operands.filter(|_| same) else {
        return base + dropout(values, mask);
    };
    let (tensors, recording) = operands.into_parts();
    let [base, values] = tensors.map(Dense::of);
    let kept = draw(mask, values.len());
    let factor = mask.factor();
    let mut results = vec![0.0; values.len()];
    results
        .par_chunks_mut(CHUNK)
        .zip(base.par_chunks(CHUNK))
        .zip(values.par_chunks(CHUNK))
        .zip(kept.par_chunks(CHUNK))
        .for_each(|(((results, base), values), kept)| {
            drop_onto(results, base, values, kept, factor);
        });
    let results = Dense::new(results, values.shape().clone());
    recording.finish(results, || AddDropped(Dropout { kept, factor }))
}

/// The mask of a tensor as a tensor on its device.
fn factors<const D: usize>(mask: &DropoutMask, like: &Tensor<D>) -> Tensor<D> {
    let shape = like.dims();
    let factor = mask.factor();
    let kept = draw(mask, shape.iter().product());
    let factors = kept.into_iter().map(|kept| f32::from(kept) * factor);
    let factors = TensorData::new(factors.collect::<Vec<f32>>(), shape);
    Tensor::from_data(factors, (&like.device(), like.dtype()))
}

/// Which of so many values are kept.
fn draw(mask: &DropoutMask, count: usize) -> Vec<u8> {
    let mut kept = vec![0; count];
    let chunks = kept.par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(number, kept)| mask.keeps(number * CHUNK, kept));
    kept
}

/// Drops in place.
fn multiply(values: &mut [f32], kept: &[u8], factor: f32) {
    let chunks = values.par_chunks_mut(CHUNK).zip(kept.par_chunks(CHUNK));
    chunks.for_each(|(values, kept)| drop_within(values, kept, factor));
}

/// What the gradient needs: a byte a value.
#[derive(Clone, Debug)]
struct Dropout {
    kept: Vec<u8>,
    factor: f32,
}

impl Operation<1> for Dropout {
    fn gradients(self, mut output: Dense, [wanted]: [bool; 1]) -> [Option<Dense>; 1] {
        [wanted.then(|| {
            multiply(output.writable(), &self.kept, self.factor);
            output
        })]
    }
}

#[derive(Clone, Debug)]
struct AddDropped(Dropout);

impl Operation<2> for AddDropped {
    fn gradients(self, output: Dense, wanted: [bool; 2]) -> [Option<Dense>; 2] {
        let base = wanted[0].then(|| output.clone());
        let [values] = self.0.gradients(output, [wanted[1]]);
        [base, values]
    }
}
