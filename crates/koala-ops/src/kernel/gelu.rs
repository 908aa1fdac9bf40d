//! GELU, x times the standard normal distribution's share below x.

use multiversion::multiversion;

use super::math::{erf, exp};

/// GELU of each value.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn gelu_into(target: &mut [f32], values: &[f32]) {
    for (target, value) in target.iter_mut().zip(values) {
        *target = 0.5 * value * (1.0 + erf(value * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The gradient of `values` in place of that of their GELU.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn gelu_back(gradient: &mut [f32], values: &[f32]) {
    // 1/sqrt(2 pi).
    const DENSITY: f32 = 0.398_942_3;
    for (gradient, value) in gradient.iter_mut().zip(values) {
        let share = 0.5 * (1.0 + erf(value * std::f32::consts::FRAC_1_SQRT_2));
        *gradient *= share + value * DENSITY * exp(-0.5 * value * value);
    }
}
