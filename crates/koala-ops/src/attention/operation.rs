//! Attention as an operation.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::composed::composed;
use super::item::{Form, back, forward};
use crate::DropoutMask;
use crate::choice::{operand, operands};
use crate::dense::Dense;
use crate::operation::Operation;

/// What a position attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Itself and the positions before it: texts.
    Before,
    /// All positions: images.
    All,
}

/// Scaled dot-product attention of several heads: of queries, keys and values side by side, `[batch, time, 3 width]`, to
/// `[batch, time, width]`. The heads share each `width` evenly, in order.
///
/// The mask, if there is one, drops probabilities: one of each head, query and key, `[batch, heads, time, time]`.
///
/// A. Vaswani et al.: Attention is all you need, NeurIPS 2017.
///
/// # Panics
///
/// As Burn's `narrow` and `reshape`, if there are no heads, they do not divide the width, or 3 does not divide the columns.
pub fn attention(
    packed: Tensor<3>,
    heads: usize,
    sight: Sight,
    mask: Option<&DropoutMask>,
) -> Tensor<3> {
    let [batch, time, columns] = packed.dims();
    if batch * time == 0 {
        return packed.narrow(2, 0, columns / 3);
    }
    let fits = heads > 0 && columns > 0 && columns % (3 * heads) == 0;
    let Some(operands) = operands([operand(&packed)]).filter(|_| fits) else {
        return composed(packed, heads, sight, mask);
    };

    let ([packed], recording) = operands.into_parts();
    let packed = Dense::of(packed);
    let form = Form {
        time,
        heads,
        size: columns / (3 * heads),
        sight,
    };
    let mut results = vec![0.0; batch * form.results()];
    let kept = if recording.tracked() {
        batch * form.probabilities()
    } else {
        0
    };
    let mut probabilities = vec![0.0; kept];
    let mut parts: Vec<&mut [f32]> = probabilities.chunks_mut(form.probabilities()).collect();
    parts.resize_with(batch, Default::default);
    results
        .par_chunks_mut(form.results())
        .zip(packed.par_chunks(form.packed()))
        .zip(parts)
        .enumerate()
        .for_each(|(number, ((results, packed), probabilities))| {
            let mask = mask.map(|mask| (mask, number * form.probabilities()));
            forward(&form, packed, mask, probabilities, results);
        });
    let results = Dense::new(results, [batch, time, columns / 3]);
    recording.finish(results, || Attention {
        form,
        packed,
        probabilities,
        factor: mask.map(DropoutMask::factor),
    })
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Attention {
    form: Form,
    packed: Dense,
    /// `[batch, heads, time, time]`, those that were dropped with their signs turned.
    probabilities: Vec<f32>,
    /// By what dropout multiplied the others, if there was dropout.
    factor: Option<f32>,
}

impl Operation<1> for Attention {
    fn gradients(self, output: Dense, [wanted]: [bool; 1]) -> [Option<Dense>; 1] {
        let Self {
            form,
            packed,
            probabilities,
            factor,
        } = self;
        [wanted.then(|| {
            let mut gradients = vec![0.0; packed.len()];
            gradients
                .par_chunks_mut(form.packed())
                .zip(packed.par_chunks(form.packed()))
                .zip(probabilities.par_chunks(form.probabilities()))
                .zip(output.par_chunks(form.results()))
                .for_each(|(((gradients, packed), probabilities), output)| {
                    back(&form, packed, probabilities, factor, output, gradients);
                });
            Dense::new(gradients, packed.shape().clone())
        })]
    }
}
