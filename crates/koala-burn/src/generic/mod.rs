//! Reductions and updates by tensor operations, for every device and type. All tensors are flat.

mod metric;
mod passes;
mod reading;
mod sums;

use burn::Tensor;
use koala_filter::SLOTS;

pub(crate) use metric::floor;
pub(crate) use passes::{advanced, average, deviation, displaced};
pub(crate) use reading::Reading;
pub(crate) use sums::{ROW, sum_by};

/// What the method stores for a parameter, by the [slots](koala_filter::MemoryKind::slots) of its kind.
pub(crate) type Slots = [Option<Tensor<1>>; SLOTS];

/// h = g + w x.
fn decayed(decay: f64, parameter: &Tensor<1>, gradient: &Tensor<1>) -> Tensor<1> {
    if decay == 0.0 {
        gradient.clone()
    } else {
        gradient.clone() + parameter.clone().mul_scalar(decay)
    }
}
