//! The passes over tensors that are lent as slices: what the optimizer over slices does, and what adapters do whose tensors
//! can be seen as slices. In parallel, on the thread pool that the call runs in, and with the same bits whatever its size.

use super::kernel;
pub use super::lent::Lent;
pub use super::pieces::on_this_thread;
use super::pieces::{run, run_backwards};
use super::real::Real;
use crate::filter::Filter;
use crate::plan::{Motion, TensorStep};
use crate::statistics::{BlockStatistics, MetricSums};

/// Predict: moves the tensors that are `moving` along `motion`, and returns each tensor's sum |a - x|^2 (0 where the motion
/// asks for none).
pub fn advance<F: Real>(
    motion: &Motion,
    moving: impl Fn(usize) -> bool + Sync + Send,
    tensors: &mut [Lent<'_, F>],
) -> Vec<f64> {
    let mut deviations = vec![0.0; tensors.len()];
    run(
        tensors,
        &mut deviations,
        |_, piece| {
            let moving = moving(piece.position);
            kernel::advance(motion, moving, piece.parameters, piece.memory)
        },
        |sum, part| *sum += part,
    );
    deviations
}

/// The sums of each tensor in the first reading, pieces added in order, into `found`, one a tensor; `None` where there is no
/// gradient, or the filter wants none of it.
pub fn reduce<F: Real>(
    filter: &Filter,
    tensors: &mut [Lent<'_, F>],
    found: &mut [Option<BlockStatistics>],
) {
    run(
        tensors,
        found,
        |_, piece| {
            let gradients = piece.gradients?;
            let reduction = filter.reduction(piece.position)?;
            let (x, memory) = (&*piece.parameters, piece.read());
            Some(kernel::reduce(&reduction, x, gradients, memory))
        },
        |sum, part| {
            if let (Some(sum), Some(part)) = (sum, part) {
                *sum += part;
            }
        },
    );
}

/// The second reading, for a method whose [metric has a floor](Filter::metric_floor): the sums of each tensor in the metric
/// with it, or `None` where the `first`, of the same tensors, [settles](crate::Reduction::settles) them.
pub fn weigh<F: Real>(
    filter: &Filter,
    floor: f64,
    first: &[Option<BlockStatistics>],
    tensors: &mut [Lent<'_, F>],
) -> Vec<Option<MetricSums>> {
    let mut found = vec![None; tensors.len()];
    run(
        tensors,
        &mut found,
        |at, piece| {
            let gradients = piece.gradients?;
            let reduction = filter.reduction(piece.position)?;
            if reduction.settles(&first[at].as_ref()?.metric, floor, F::ROUNDING) {
                return None;
            }
            let (x, memory) = (&*piece.parameters, piece.read());
            Some(kernel::weigh(&reduction, floor, x, gradients, memory))
        },
        |sum, part| {
            if let (Some(sum), Some(part)) = (sum, part) {
                *sum += part;
            }
        },
    );
    found
}

/// Whether a [second reading](weigh) with this floor tells more of any of the tensors than the `first`, one a parameter of the layout.
pub fn is_open<F: Real>(filter: &Filter, floor: f64, first: &[Option<BlockStatistics>]) -> bool {
    let open = |(position, found): (usize, &Option<BlockStatistics>)| {
        let (Some(found), Some(reduction)) = (found, filter.reduction(position)) else {
            return false;
        };
        !reduction.settles(&found.metric, floor, F::ROUNDING)
    };
    first.iter().enumerate().any(open)
}

/// Update: does the steps, given in the layout's order; tensors without one are left alone.
pub fn displace<F: Real>(steps: &[TensorStep], tensors: &mut [Lent<'_, F>]) {
    run_backwards(tensors, |piece| match steps.get(piece.position) {
        None | Some(TensorStep::Skip) => {}
        Some(&TensorStep::Average(weight)) => {
            let [_, _, mean] = piece.memory;
            kernel::average(weight, piece.parameters, mean);
        }
        Some(&TensorStep::Predict(velocity_decay)) => {
            let motion = Motion {
                velocity_decay,
                deviation: None,
            };
            kernel::advance(&motion, true, piece.parameters, piece.memory);
        }
        Some(TensorStep::Move(displacement)) => {
            let gradients = piece.gradients.unwrap_or_default();
            kernel::displace(displacement, piece.parameters, gradients, piece.memory);
        }
    });
}
