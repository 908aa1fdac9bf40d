//! The passes over tensors that are lent as slices: what the optimizer over slices does, and what adapters do whose tensors
//! can be seen as slices. In parallel, on the thread pool that the call runs in, and with the same bits whatever its size.

use super::kernel;
pub use super::lent::Lent;
use super::pieces::{cut, run};
use super::real::Real;
use crate::filter::Filter;
use crate::plan::{Motion, TensorStep};
use crate::statistics::{BlockStatistics, Reduction};

/// Predict: moves the tensors along `motion` but for those that are `frozen`, and returns each tensor's sum |a - x|^2
/// (0 where the motion asks for none).
pub fn advance<F: Real>(
    motion: &Motion,
    frozen: impl Fn(usize) -> bool + Sync,
    tensors: Vec<Lent<'_, F>>,
) -> Vec<f64> {
    let mut deviations = vec![0.0; tensors.len()];
    let positions: Vec<usize> = tensors.iter().map(|tensor| tensor.position).collect();
    let sums = run(cut(tensors), |piece| {
        let frozen = frozen(positions[piece.tensor]);
        let sum = kernel::advance(motion, frozen, piece.parameters, piece.first, piece.second);
        (piece.tensor, sum)
    });
    for (tensor, sum) in sums {
        deviations[tensor] += sum;
    }
    deviations
}

/// The sums of each tensor, pieces added in order; `None` where the filter wants none of it.
pub fn reduce<F: Real>(filter: &Filter, tensors: Vec<Lent<'_, F>>) -> Vec<Option<BlockStatistics>> {
    let reductions: Vec<Option<Reduction>> = tensors
        .iter()
        .map(|tensor| filter.reduction(tensor.position))
        .collect();
    let mut statistics: Vec<_> = reductions
        .iter()
        .map(|reduction| reduction.map(|_| BlockStatistics::default()))
        .collect();
    let sums = run(cut(tensors), |piece| {
        let sum = reductions[piece.tensor].map(|reduction| {
            kernel::reduce(
                &reduction,
                piece.parameters,
                piece.gradients,
                piece.first,
                piece.second,
            )
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

/// Update: does the steps, given in the layout's order; tensors without one are left alone.
pub fn displace<F: Real>(steps: &[TensorStep], tensors: Vec<Lent<'_, F>>) {
    let moves =
        |tensor: &Lent<'_, F>| matches!(steps.get(tensor.position), Some(TensorStep::Move(_)));
    let tensors: Vec<_> = tensors.into_iter().filter(moves).collect();
    let positions: Vec<usize> = tensors.iter().map(|tensor| tensor.position).collect();
    run(cut(tensors), |piece| {
        if let TensorStep::Move(displacement) = &steps[positions[piece.tensor]] {
            kernel::displace(
                displacement,
                piece.parameters,
                piece.gradients,
                piece.first,
                piece.second,
            );
        }
    });
}
