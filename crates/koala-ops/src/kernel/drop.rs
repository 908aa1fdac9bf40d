//! Loops of dropout over equal lengths.

use multiversion::multiversion;

/// Which values are kept: those whose draw, uniform in 32 bits, is not below the threshold.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
pub(crate) fn judge(kept: &mut [u8], draws: &[[u8; 4]], threshold: u32) {
    for (kept, draw) in kept.iter_mut().zip(draws) {
        *kept = u8::from(u32::from_le_bytes(*draw) >= threshold);
    }
}

/// Multiplies by the factor what is kept, and by 0 what is not.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
pub(crate) fn drop_within(values: &mut [f32], kept: &[u8], factor: f32) {
    for (value, kept) in values.iter_mut().zip(kept) {
        *value *= if *kept == 0 { 0.0 } else { factor };
    }
}

/// `target = base + values * factor` where they are kept, `base + values * 0` elsewhere.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
pub(crate) fn drop_onto(
    target: &mut [f32],
    base: &[f32],
    values: &[f32],
    kept: &[u8],
    factor: f32,
) {
    let values = base.iter().zip(values);
    for ((target, (base, value)), kept) in target.iter_mut().zip(values).zip(kept) {
        *target = base + value * if *kept == 0 { 0.0 } else { factor };
    }
}
