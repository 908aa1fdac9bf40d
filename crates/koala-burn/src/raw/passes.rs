//! The passes over memory: those that read for a reduction, advance, displace, average.

use std::cell::RefCell;
use std::mem::take;
use std::ops::AddAssign;

use burn::backend::flex::FlexTensor;
use koala_filter::dense::{PIECE, Real, kernel};
use koala_filter::{BlockStatistics, Displacement, MetricSums, Motion, Reduction, SLOTS};
use rayon::prelude::*;

use super::gather::{Gradient, gatherable};
use super::spans::{Span, spans};

/// A parameter in a reduction.
pub(crate) struct Reduced {
    pub reduction: Reduction,
    pub parameter: FlexTensor,
    /// Of any strides.
    pub gradient: FlexTensor,
    /// What the method stores, by slots.
    pub memory: [Option<FlexTensor>; SLOTS],
}

/// A parameter that moves, and what the method stores for it, by slots.
pub(crate) struct Moved<'a> {
    pub parameter: &'a mut FlexTensor,
    pub memory: [Option<&'a mut FlexTensor>; SLOTS],
}

/// Parameters whose sums are taken, once or twice.
pub(crate) struct Readings(Vec<Reduced>);

impl Readings {
    pub fn new(tensors: Vec<Reduced>) -> Self {
        let readable = |tensor: Reduced| Reduced {
            // Without decay x is not read.
            parameter: if tensor.reduction.decay == 0.0 {
                tensor.parameter
            } else {
                tensor.parameter.to_contiguous()
            },
            gradient: gatherable(tensor.gradient),
            ..tensor
        };
        Self(tensors.into_iter().map(readable).collect())
    }

    /// The sums of every parameter in the first reading.
    pub fn reduce(&self) -> Vec<BlockStatistics> {
        self.read(|_| true, kernel::reduce)
    }

    /// The sums in the metric with this floor, of every parameter for which the `first` reading does not settle them.
    pub fn weigh(&self, floor: f64, first: &[BlockStatistics]) -> Vec<Option<MetricSums>> {
        let open: Vec<bool> = self
            .0
            .iter()
            .zip(first)
            .map(|(tensor, first)| {
                let reduction = &tensor.reduction;
                !reduction.settles(&first.metric, floor, <f32 as Real>::ROUNDING)
            })
            .collect();
        let sums = self.read(
            |at| open[at],
            |reduction, parameter, gradient, memory| {
                kernel::weigh(reduction, floor, parameter, gradient, memory)
            },
        );
        let rows = sums.into_iter().zip(open);
        rows.map(|(sums, open)| open.then_some(sums)).collect()
    }

    /// What `kernel` finds in every parameter that is `wanted`, pieces added in order.
    fn read<S: Copy + Default + AddAssign + Send>(
        &self,
        wanted: impl Fn(usize) -> bool,
        kernel: impl Fn(&Reduction, &[f32], &[f32], [&[f32]; SLOTS]) -> S + Sync + Send,
    ) -> Vec<S> {
        let sources: Vec<_> = self.0.iter().map(Source::new).collect();
        let pieces = self
            .0
            .iter()
            .enumerate()
            .filter(|(at, _)| wanted(*at))
            .flat_map(|(at, tensor)| {
                let spans = spans(tensor.gradient.layout().shape());
                spans.into_iter().map(move |span| (at, span))
            })
            .collect();
        let sums = run(
            pieces,
            |(_, span): &(usize, Span)| span.length,
            |scratch, (at, span)| {
                let source = &sources[at];
                let gradient = source.gradient.piece(&span, scratch);
                let parameter = part(source.parameter, &span);
                let memory = source.memory.map(|slice| part(slice, &span));
                (at, kernel(&source.reduction, parameter, gradient, memory))
            },
        );
        let mut totals = vec![S::default(); self.0.len()];
        for (at, sum) in sums {
            totals[at] += sum;
        }
        totals
    }
}

/// A parameter in a reduction, as slices.
struct Source<'a> {
    reduction: Reduction,
    gradient: Gradient<'a>,
    parameter: &'a [f32],
    memory: [&'a [f32]; SLOTS],
}

impl<'a> Source<'a> {
    fn new(tensor: &'a Reduced) -> Self {
        let slice =
            |vector: &'a Option<FlexTensor>| vector.as_ref().map_or(&[][..], |v| v.storage());
        Self {
            reduction: tensor.reduction,
            gradient: Gradient::new(&tensor.gradient),
            parameter: if tensor.reduction.decay == 0.0 {
                &[]
            } else {
                tensor.parameter.storage()
            },
            memory: tensor.memory.each_ref().map(slice),
        }
    }
}

/// Predict: the sums |a - x|^2 of every parameter, before those that are to move did.
pub(crate) fn advance(motion: &Motion, tensors: Vec<(Moved<'_>, bool)>) -> Vec<f64> {
    let mut totals = vec![0.0; tensors.len()];
    let mut pieces = Vec::new();
    for (at, (moved, moving)) in tensors.into_iter().enumerate() {
        cut(moved, |span, x, memory| {
            pieces.push((at, moving, span, x, memory));
        });
    }
    let sums = run(
        pieces,
        |(_, _, span, ..)| span.length,
        |_, (at, moving, _, x, memory)| (at, kernel::advance(motion, moving, x, memory)),
    );
    for (at, sum) in sums {
        totals[at] += sum;
    }
    totals
}

/// Update: moves every parameter and its memory. Gradients may have any strides.
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
        cut(moved, |span, x, memory| {
            pieces.push((step, span, x, memory));
        });
    }
    run(
        pieces,
        |(_, span, ..)| span.length,
        |scratch, ((gradient, displacement), span, x, memory)| {
            let gradient = gradient.piece(&span, scratch);
            kernel::displace(displacement, x, gradient, memory);
        },
    );
}

/// Update: the means of parameters that stand still, each with the weight of x in it.
pub(crate) fn average(tensors: Vec<(f64, FlexTensor, &mut FlexTensor)>) {
    let (parameters, means): (Vec<_>, Vec<_>) = tensors
        .into_iter()
        .map(|(weight, parameter, mean)| (parameter.to_contiguous(), (weight, mean)))
        .unzip();
    let mut pieces = Vec::new();
    for (parameter, (weight, mean)) in parameters.iter().zip(means) {
        let rows = parameter.storage::<f32>().chunks(PIECE);
        let means = writable(mean).chunks_mut(PIECE);
        pieces.extend(rows.zip(means).map(|(x, mean)| (weight, x, mean)));
    }
    run(
        pieces,
        |(_, x, _)| x.len(),
        |_, (weight, x, mean)| kernel::average(weight, x, mean),
    );
}

/// The pieces of a tensor and its memory.
fn cut<'a>(moved: Moved<'a>, mut piece: impl FnMut(Span, &'a mut [f32], [&'a mut [f32]; SLOTS])) {
    let shape = moved.parameter.layout().shape().to_vec();
    let mut parameter = writable(moved.parameter);
    let mut memory = moved
        .memory
        .map(|tensor| tensor.map_or(&mut [][..], writable));
    for span in spans(&shape) {
        let x = split(&mut parameter, span.length);
        let memory = memory.each_mut().map(|row| split(row, span.length));
        piece(span, x, memory);
    }
}

/// Takes the first elements of a row off it; nothing of an empty one.
fn split<'a>(row: &mut &'a mut [f32], length: usize) -> &'a mut [f32] {
    let rest = take(row);
    let (part, rest) = rest.split_at_mut(length.min(rest.len()));
    *row = rest;
    part
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
