//! Softmax and cross-entropy as one operation.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Int, Tensor};
use rayon::prelude::*;

use crate::choice::{integers, operand, operands};
use crate::dense::Dense;
use crate::kernel::{log_sum_exp, rows_a_chunk, scaled_softmax};
use crate::operation::Operation;

/// The cross-entropy of each sample in nats, `[batch]`: minus the logarithm of the softmax of its scores at its class. `scores` are
/// `[batch, classes]`, `targets` are classes, `[batch]`. No score is too large for it.
///
/// # Panics
///
/// As `log_softmax` and `gather`, if the sizes do not fit or a target is no class.
pub fn cross_entropy(scores: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let [batch, classes] = scores.dims();
    let places = integers(&targets).and_then(|targets| places(targets, classes));
    let places = places.filter(|places| places.len() == batch && batch * classes > 0);
    let (Some(places), Some(operands)) = (places, operands([operand(&scores)])) else {
        let logarithms = log_softmax(scores, 1).gather(1, targets.unsqueeze_dim(1));
        return logarithms.squeeze_dim(1).neg();
    };
    // The network that gave them may hold them no longer: then their gradient takes their place.
    drop(scores);

    let ([scores], recording) = operands.into_parts();
    let scores = Dense::of(scores);
    let normalisers: Vec<f32> = scores
        .par_chunks(classes)
        .with_min_len(rows_a_chunk(classes))
        .map(log_sum_exp)
        .collect();
    let rows = scores.chunks_exact(classes);
    let rows = rows.zip(&normalisers).zip(&places);
    let losses = rows.map(|((row, normaliser), place)| normaliser - row[*place]);
    let losses = Dense::new(losses.collect(), [batch]);
    recording.finish(losses, || CrossEntropy {
        scores,
        classes,
        normalisers: normalisers.into(),
        places: places.into(),
    })
}

/// Classes as places in a row; `None` if one is no class, or the integers are of another width than Burn's of 32 and 64 bits.
fn places(targets: FlexTensor, classes: usize) -> Option<Vec<usize>> {
    let targets = targets.to_contiguous();
    let (from, to) = targets.layout().contiguous_offsets()?;
    let place = |target: i64| {
        let place = usize::try_from(target).ok();
        place.filter(|place| *place < classes)
    };
    match targets.dtype() {
        DType::I64 => targets.storage::<i64>()[from..to]
            .iter()
            .map(|t| place(*t))
            .collect(),
        DType::I32 => {
            let targets = &targets.storage::<i32>()[from..to];
            targets.iter().map(|t| place(i64::from(*t))).collect()
        }
        _ => None,
    }
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct CrossEntropy {
    scores: Dense,
    classes: usize,
    normalisers: Arc<[f32]>,
    places: Arc<[usize]>,
}

impl Operation<1> for CrossEntropy {
    fn gradients(mut self, output: Dense, [wanted]: [bool; 1]) -> [Option<Dense>; 1] {
        if !wanted {
            return [None];
        }
        let rows = self.scores.writable().par_chunks_mut(self.classes);
        let rows = rows
            .zip(&*self.normalisers)
            .zip(&*self.places)
            .zip(&*output);
        let rows = rows.with_min_len(rows_a_chunk(self.classes));
        rows.for_each(|(((row, normaliser), place), upstream)| {
            scaled_softmax(row, *normaliser, *upstream);
            row[*place] -= upstream;
        });
        [Some(self.scores)]
    }
}
