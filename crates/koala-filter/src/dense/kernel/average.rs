//! The mean of a tensor that stands still.

use multiversion::multiversion;

use crate::dense::real::Real;

/// x̄ <- x̄ + weight (x - x̄).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn average<F: Real>(weight: f64, parameters: &[F], mean: &mut [F]) {
    let weight = F::from_f64(weight);
    for (mean, &x) in mean.iter_mut().zip(parameters) {
        *mean = *mean + weight * (x - *mean);
    }
}
