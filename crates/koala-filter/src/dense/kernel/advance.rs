//! Predict.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use super::sums::sums;
use super::terms::{Adding, SquaredDistance};
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::{Deviation, Motion};

/// Predict: measures |a - x|^2 if the motion asks for it, then x <- x + v, v <- kappa v if the parameters are to move.
/// Returns the sum.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn advance<F: Real>(
    motion: &Motion,
    moving: bool,
    parameters: &mut [F],
    memory: [&mut [F]; SLOTS],
) -> f64 {
    let [velocity, average, _] = memory;
    let deviation = match motion.deviation {
        Some(Deviation { averaging }) => {
            if let Some(weight) = averaging {
                run_average(weight, parameters, average);
            }
            let adding = Adding {
                fused: target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64")),
            };
            let rows = [&*parameters, &*average];
            let [squared] = sums(rows, SquaredDistance(adding));
            squared
        }
        None => 0.0,
    };
    if moving {
        let kappa = F::from_f64(motion.velocity_decay);
        for (x, v) in parameters.iter_mut().zip(velocity) {
            *x = *x + *v;
            *v = kappa * *v;
        }
    }
    deviation
}

/// a <- weight a + (1 - weight) x.
#[inline(always)]
fn run_average<F: Real>(weight: f64, parameters: &[F], average: &mut [F]) {
    let (old, new) = (F::from_f64(weight), F::from_f64(1.0 - weight));
    for (a, x) in average.iter_mut().zip(parameters) {
        *a = old * *a + new * *x;
    }
}
