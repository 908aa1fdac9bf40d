//! The three passes over memory: reduce, advance, displace.

use std::cell::RefCell;
use std::mem::take;

use burn::backend::flex::FlexTensor;
use koala_filter::dense::{PIECE, kernel};
use koala_filter::{BlockStatistics, Displacement, Motion, Reduction};
use rayon::prelude::*;

use super::gather::{Gradient, gatherable};
use super::spans::{Span, spans};

/// A parameter in a reduction.
pub(crate) struct Reduced {
    pub reduction: Reduction,
    pub parameter: FlexTensor,
    /// Of any strides.
    pub gradient: FlexTensor,
    /// v' and H' of KOALA++; else empty.
    pub vectors: Vec<FlexTensor>,
}

/// A parameter that moves, and its vectors.
pub(crate) struct Moved<'a> {
    pub parameter: &'a mut FlexTensor,
    pub vectors: Vec<&'a mut FlexTensor>,
}

/// The sums of every parameter, pieces added in order.
pub(crate) fn reduce(tensors: Vec<Reduced>) -> Vec<BlockStatistics> {
    let tensors: Vec<Reduced> = tensors
        .into_iter()
        .map(|tensor| Reduced {
            // Without decay x is not read.
            parameter: if tensor.reduction.decay == 0.0 {
                tensor.parameter
            } else {
                tensor.parameter.to_contiguous()
            },
            gradient: gatherable(tensor.gradient),
            ..tensor
        })
        .collect();
    let sources: Vec<_> = tensors
        .iter()
        .map(|tensor| {
            let parameter = if tensor.reduction.decay == 0.0 {
                &[]
            } else {
                tensor.parameter.storage()
            };
            let vector = |at: usize| tensor.vectors.get(at).map_or(&[][..], |v| v.storage());
            let gradient = Gradient::new(&tensor.gradient);
            (
                tensor.reduction,
                gradient,
                [parameter, vector(0), vector(1)],
            )
        })
        .collect();
    let pieces = tensors
        .iter()
        .enumerate()
        .flat_map(|(at, tensor)| {
            let spans = spans(tensor.gradient.layout().shape());
            spans.into_iter().map(move |span| (at, span))
        })
        .collect();
    let sums = run(
        pieces,
        |(_, span): &(usize, Span)| span.length,
        |scratch, (at, span)| {
            let (reduction, gradient, slices) = &sources[at];
            let [parameter, first, second] = slices.map(|slice| part(slice, &span));
            let gradient = gradient.piece(&span, scratch);
            (
                at,
                kernel::reduce(reduction, parameter, gradient, [first, second, &[]]),
            )
        },
    );
    let mut totals = vec![BlockStatistics::default(); tensors.len()];
    for (at, sum) in sums {
        totals[at] += sum;
    }
    totals
}

/// Predict: the sums |a - x|^2 of every parameter, before those that are to move did.
pub(crate) fn advance(motion: &Motion, tensors: Vec<(Moved<'_>, bool)>) -> Vec<f64> {
    let mut totals = vec![0.0; tensors.len()];
    let mut pieces = Vec::new();
    for (at, (moved, moving)) in tensors.into_iter().enumerate() {
        cut(moved, |span, rows| pieces.push((at, moving, span, rows)));
    }
    let sums = run(
        pieces,
        |(_, _, span, _)| span.length,
        |_, (at, moving, _, [x, v, a])| (at, kernel::advance(motion, moving, x, [v, a, &mut []])),
    );
    for (at, sum) in sums {
        totals[at] += sum;
    }
    totals
}

/// Update: moves every parameter and its vectors. Gradients may have any strides.
pub(crate) fn displace(tensors: Vec<(Moved<'_>, FlexTensor, Displacement)>) {
    let (moved, steps): (Vec<_>, Vec<_>) = tensors
        .into_iter()
        .map(|(moved, gradient, displacement)| (moved, (gatherable(gradient), displacement)))
        .unzip();
    let steps: Vec<_> = steps
        .iter()
        .map(|(gradient, displacement)| (Gradient::new(gradient), displacement))
        .collect();
    let mut pieces = Vec::new();
    for (moved, step) in moved.into_iter().zip(&steps) {
        cut(moved, |span, rows| pieces.push((step, span, rows)));
    }
    run(
        pieces,
        |(_, span, _)| span.length,
        |scratch, ((gradient, displacement), span, [x, first, second])| {
            let gradient = gradient.piece(&span, scratch);
            kernel::displace(displacement, x, gradient, [first, second, &mut []]);
        },
    );
}

/// The pieces of a tensor and its (up to two) vectors.
fn cut<'a>(moved: Moved<'a>, mut piece: impl FnMut(Span, [&'a mut [f32]; 3])) {
    let shape = moved.parameter.layout().shape().to_vec();
    let mut vectors = moved.vectors.into_iter();
    let mut rows = [Some(moved.parameter), vectors.next(), vectors.next()]
        .map(|tensor| tensor.map_or(&mut [][..], writable));
    for span in spans(&shape) {
        let parts = rows.each_mut().map(|row| {
            let rest = take(row);
            let length = span.length.min(rest.len());
            let (part, rest) = rest.split_at_mut(length);
            *row = rest;
            part
        });
        piece(span, parts);
    }
}

/// The memory of a tensor to write to, in row-major order: its own if nobody else holds it, else a copy.
fn writable(tensor: &mut FlexTensor) -> &mut [f32] {
    // Whole and in order, or copied so; the first handle must go, else there would be two.
    let empty = FlexTensor::zeros([0].into(), tensor.dtype());
    let held = std::mem::replace(tensor, empty);
    *tensor = held.to_contiguous();
    drop(held);
    tensor.storage_mut()
}

/// The part of a slice that belongs to a piece; nothing of an empty one.
fn part<'a>(slice: &'a [f32], span: &Span) -> &'a [f32] {
    if slice.is_empty() {
        slice
    } else {
        &slice[span.start..span.start + span.length]
    }
}

thread_local! {
    /// Room for one gathered piece.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` on every piece, in parallel where there is enough of it; results in the pieces' order.
fn run<P: Send, R: Send>(
    pieces: Vec<P>,
    length: impl Fn(&P) -> usize,
    work: impl Fn(&mut Vec<f32>, P) -> R + Sync + Send,
) -> Vec<R> {
    let elements: usize = pieces.iter().map(length).sum();
    let work = |piece| SCRATCH.with_borrow_mut(|scratch| work(scratch, piece));
    if elements <= PIECE {
        pieces.into_iter().map(work).collect()
    } else {
        pieces.into_par_iter().map(work).collect()
    }
}
