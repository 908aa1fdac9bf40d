//! Elementwise loops over rows of equal lengths.

use multiversion::multiversion;

/// `target += values`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn add(target: &mut [f32], values: &[f32]) {
    for (target, value) in target.iter_mut().zip(values) {
        *target += value;
    }
}

/// Adds the same number to each element.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn add_scalar(target: &mut [f32], number: f32) {
    for target in target {
        *target += number;
    }
}

/// Adds the rows to one.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn sum_rows(total: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(total.len()) {
        for (total, value) in total.iter_mut().zip(row) {
            *total += value;
        }
    }
}

/// Adds the bias to each of the rows.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn add_bias(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}

/// Adds the bias to each of the rows, and replaces what is not above 0 by 0. Not a number stays one.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn add_bias_relu(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            let sum = *value + bias;
            *value = if sum <= 0.0 { 0.0 } else { sum };
        }
    }
}

/// The gradient of what ReLU was applied to, from its results and the gradient of them, which not a number lets through.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn mask_where_zero(gradient: &mut [f32], results: &[f32]) {
    for (gradient, result) in gradient.iter_mut().zip(results) {
        *gradient = let_through(*result, *gradient);
    }
}

/// The gradient where a result of ReLU is not 0, else 0; not a number lets it through.
#[inline(always)]
pub(crate) fn let_through(result: f32, gradient: f32) -> f32 {
    // By its bits: whether to write at all cannot be chosen for many at once.
    let bits = if result <= 0.0 { 0 } else { u32::MAX };
    f32::from_bits(gradient.to_bits() & bits)
}
