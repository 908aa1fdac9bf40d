//! The passes over tensors that are lent as slices: what the optimizer over slices does, and what adapters do whose tensors
//! can be seen as slices. In parallel, on the thread pool that the call runs in, and with the same bits whatever its size.

use super::kernel;
pub use super::lent::Lent;
pub use super::pieces::on_this_thread;
use super::pieces::{cut, run};
use super::real::Real;
use crate::filter::Filter;
use crate::plan::{Motion, TensorStep};
use crate::statistics::{BlockStatistics, MetricSums, Reduction};

/// Predict: moves the tensors that are `moving` along `motion`, and returns each tensor's sum |a - x|^2 (0 where the motion
/// asks for none).
pub fn advance<F: Real>(
    motion: &Motion,
    moving: impl Fn(usize) -> bool + Sync,
    tensors: Vec<Lent<'_, F>>,
) -> Vec<f64> {
    let mut deviations = vec![0.0; tensors.len()];
    let positions = positions(&tensors);
    let sums = run(cut(tensors), |piece| {
        let moving = moving(positions[piece.tensor]);
        let sum = kernel::advance(motion, moving, piece.parameters, piece.memory);
        (piece.tensor, sum)
    });
    for (tensor, sum) in sums {
        deviations[tensor] += sum;
    }
    deviations
}

/// The sums of each tensor in the first reading, pieces added in order; `None` where the filter wants none of it.
pub fn reduce<F: Real>(filter: &Filter, tensors: Vec<Lent<'_, F>>) -> Vec<Option<BlockStatistics>> {
    let reductions = reductions(filter, &tensors);
    let mut statistics: Vec<_> = reductions
        .iter()
        .map(|reduction| reduction.map(|_| BlockStatistics::default()))
        .collect();
    let sums = run(cut(tensors), |piece| {
        let sum = reductions[piece.tensor].map(|reduction| {
            kernel::reduce(&reduction, piece.parameters, piece.gradients, piece.read())
        });
        (piece.tensor, sum)
    });
    for (tensor, sum) in sums {
        if let (Some(total), Some(sum)) = (&mut statistics[tensor], sum) {
            *total += sum;
        }
    }
    statistics
}

/// The second reading, for a method whose [metric has a floor](Filter::metric_floor): the sums of each tensor in the metric
/// with it, or `None` where the `first`, of the same tensors, [settles](Reduction::settles) them.
pub fn weigh<F: Real>(
    filter: &Filter,
    floor: f64,
    first: &[Option<BlockStatistics>],
    tensors: Vec<Lent<'_, F>>,
) -> Vec<Option<MetricSums>> {
    let mut totals = vec![None; tensors.len()];
    let mut open = Vec::new();
    for (at, (tensor, first)) in tensors.into_iter().zip(first).enumerate() {
        let (Some(reduction), Some(first)) = (filter.reduction(tensor.position), first) else {
            continue;
        };
        if !reduction.settles(&first.metric, floor, F::ROUNDING) {
            totals[at] = Some(MetricSums::default());
            open.push((at, reduction, tensor));
        }
    }
    let rules: Vec<_> = open.iter().map(|&(at, rule, _)| (at, rule)).collect();
    let tensors = open.into_iter().map(|(_, _, tensor)| tensor).collect();
    let sums = run(cut(tensors), |piece| {
        let (at, reduction) = rules[piece.tensor];
        let sum = kernel::weigh(
            &reduction,
            floor,
            piece.parameters,
            piece.gradients,
            piece.read(),
        );
        (at, sum)
    });
    for (at, sum) in sums {
        if let Some(total) = &mut totals[at] {
            *total += sum;
        }
    }
    totals
}

/// Update: does the steps, given in the layout's order; tensors without one are left alone.
pub fn displace<F: Real>(steps: &[TensorStep], tensors: Vec<Lent<'_, F>>) {
    let moved =
        |tensor: &Lent<'_, F>| !matches!(steps.get(tensor.position), None | Some(TensorStep::Skip));
    let tensors: Vec<_> = tensors.into_iter().filter(moved).collect();
    let positions = positions(&tensors);
    let mut pieces = cut(tensors);
    // Those that were read last come first: they are in the processor's cache still.
    pieces.reverse();
    run(pieces, |piece| match &steps[positions[piece.tensor]] {
        TensorStep::Skip => {}
        TensorStep::Average(weight) => {
            let [_, _, mean] = piece.memory;
            kernel::average(*weight, piece.parameters, mean);
        }
        &TensorStep::Predict(velocity_decay) => {
            let motion = Motion {
                velocity_decay,
                deviation: None,
            };
            kernel::advance(&motion, true, piece.parameters, piece.memory);
        }
        TensorStep::Move(displacement) => {
            kernel::displace(
                displacement,
                piece.parameters,
                piece.gradients,
                piece.memory,
            );
        }
    });
}

fn positions<F>(tensors: &[Lent<'_, F>]) -> Vec<usize> {
    tensors.iter().map(|tensor| tensor.position).collect()
}

fn reductions<F>(filter: &Filter, tensors: &[Lent<'_, F>]) -> Vec<Option<Reduction>> {
    tensors
        .iter()
        .map(|tensor| filter.reduction(tensor.position))
        .collect()
}
