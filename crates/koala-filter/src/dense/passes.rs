//! The passes over tensors that are lent as slices: what the optimizer over slices does, and what adapters do whose tensors
//! can be seen as slices. In parallel, on the thread pool that the call runs in, and with the same bits whatever its size.

use super::kernel;
pub use super::lent::Lent;
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

/// The second reading, for a method whose [metric has a floor](Filter::metric_floor): the sums of each tensor in the metric,
/// to be added to those of the first.
pub fn weigh<F: Real>(filter: &Filter, floor: f64, tensors: Vec<Lent<'_, F>>) -> Vec<MetricSums> {
    let reductions = reductions(filter, &tensors);
    let mut totals = vec![MetricSums::default(); tensors.len()];
    let sums = run(cut(tensors), |piece| {
        let sum = reductions[piece.tensor].map(|reduction| {
            kernel::weigh(
                &reduction,
                floor,
                piece.parameters,
                piece.gradients,
                piece.read(),
            )
        });
        (piece.tensor, sum)
    });
    for (tensor, sum) in sums {
        totals[tensor] += sum.unwrap_or_default();
    }
    totals
}

/// Update: does the steps, given in the layout's order; tensors without one are left alone.
pub fn displace<F: Real>(steps: &[TensorStep], tensors: Vec<Lent<'_, F>>) {
    let moved =
        |tensor: &Lent<'_, F>| !matches!(steps.get(tensor.position), None | Some(TensorStep::Skip));
    let tensors: Vec<_> = tensors.into_iter().filter(moved).collect();
    let positions = positions(&tensors);
    run(cut(tensors), |piece| {
        match &steps[positions[piece.tensor]] {
            TensorStep::Skip => {}
            TensorStep::Average(weight) => {
                let [_, _, mean] = piece.memory;
                kernel::average(*weight, piece.parameters, mean);
            }
            TensorStep::Move(displacement) => {
                kernel::displace(
                    displacement,
                    piece.parameters,
                    piece.gradients,
                    piece.memory,
                );
            }
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
