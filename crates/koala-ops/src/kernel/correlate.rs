//! Convolution of stride 1 without columns. Images lie in one line, row after row with a common pitch, so that what a tap of the
//! kernel meets is the same line some elements further.

use multiversion::multiversion;
use multiversion::target::match_target;

/// Outputs that are computed together; weights are packed for so many.
pub(crate) const BLOCK: usize = 8;
/// Elements of a line are written in multiples of this many.
pub(crate) const LINE: usize = 48;
/// Lanes of a sum along a line.
const LANES: usize = 16;

/// Lines of several channels, each `pitch` elements after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub values: &'a [f32],
    pub pitch: usize,
}

/// Writes lines of [`BLOCK`] outputs, each of `into.len() / BLOCK` elements, a multiple of [`LINE`]: every element is the sum over the
/// channels and `taps` of the element so many further times its weight. `weights` are `[channels, taps, BLOCK]`.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub(crate) fn correlate(source: Lines<'_>, taps: &[usize], weights: &[f32], into: &mut [f32]) {
    // Tiles of as many sums as there are registers for.
    match_target! {
        "x86_64+avx512f+avx512vl+fma" => correlate_by::<8, 3, 16, true>(source, taps, weights, into),
        "x86_64+avx2+fma" => correlate_by::<4, 3, 8, true>(source, taps, weights, into),
        "aarch64" => correlate_by::<4, 3, 8, true>(source, taps, weights, into),
        _ => correlate_by::<4, 2, 4, false>(source, taps, weights, into),
    }
}

#[inline(always)]
fn correlate_by<
    const OUTPUTS: usize,
    const VECTORS: usize,
    const LANES: usize,
    const FUSED: bool,
>(
    source: Lines<'_>,
    taps: &[usize],
    weights: &[f32],
    into: &mut [f32],
) {
    let length = into.len() / BLOCK;
    for start in (0..length).step_by(VECTORS * LANES) {
        for first in (0..BLOCK).step_by(OUTPUTS) {
            let weights = &weights[first..];
            let sums = tile::<OUTPUTS, VECTORS, LANES, FUSED>(source, start, taps, weights);
            for (output, sums) in sums.iter().enumerate() {
                let into = &mut into[(first + output) * length + start..];
                let (vectors, _) = into.as_chunks_mut::<LANES>();
                vectors[..VECTORS].copy_from_slice(sums);
            }
        }
    }
}

/// The sums of a tile. Written in arrays of a vector each, which is what the compiler keeps in registers.
#[inline(always)]
fn tile<const OUTPUTS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    source: Lines<'_>,
    start: usize,
    taps: &[usize],
    weights: &[f32],
) -> [[[f32; LANES]; VECTORS]; OUTPUTS] {
    let mut sums = [[[0.0; LANES]; VECTORS]; OUTPUTS];
    let mut weights = weights.chunks(BLOCK);
    for line in source.values.chunks_exact(source.pitch) {
        for (tap, weights) in taps.iter().zip(&mut weights) {
            let line = &line[start + tap..][..VECTORS * LANES];
            let mut values = [[0.0; LANES]; VECTORS];
            for vector in 0..VECTORS {
                for lane in 0..LANES {
                    values[vector][lane] = line[vector * LANES + lane];
                }
            }
            let weights = &weights[..OUTPUTS];
            for output in 0..OUTPUTS {
                for vector in 0..VECTORS {
                    for lane in 0..LANES {
                        let sum = &mut sums[output][vector][lane];
                        *sum = add_product::<FUSED>(*sum, values[vector][lane], weights[output]);
                    }
                }
            }
        }
    }
    sums
}

/// Adds to each weight of `into`, `[outputs, channels x taps]`, the sum along the lines of its output's gradient times what its tap
/// meets. Lines are of `length` elements, a multiple of 16; their pitches may be longer.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub(crate) fn correlate_sums(
    gradients: Lines<'_>,
    source: Lines<'_>,
    taps: &[usize],
    length: usize,
    into: &mut [f32],
) {
    match_target! {
        "x86_64+avx512f+avx512vl+fma" => sums_by::<4, 6, true>(gradients, source, taps, length, into),
        "x86_64+avx2+fma" => sums_by::<2, 3, true>(gradients, source, taps, length, into),
        "aarch64" => sums_by::<2, 2, true>(gradients, source, taps, length, into),
        _ => sums_by::<1, 2, false>(gradients, source, taps, length, into),
    }
}

#[inline(always)]
fn sums_by<const OUTPUTS: usize, const TAPS: usize, const FUSED: bool>(
    gradients: Lines<'_>,
    source: Lines<'_>,
    taps: &[usize],
    length: usize,
    into: &mut [f32],
) {
    let outputs = gradients.values.len().div_ceil(gradients.pitch);
    let weights = into.len() / outputs;
    let start = |weight: usize| weight / taps.len() * source.pitch + taps[weight % taps.len()];
    for first_weight in (0..weights).step_by(TAPS) {
        // What is left over at an end is computed twice, and written once.
        let mut met = [&source.values[..0]; TAPS];
        for (at, met) in met.iter_mut().enumerate() {
            let weight = (first_weight + at).min(weights - 1);
            *met = &source.values[start(weight)..][..length];
        }
        for first_output in (0..outputs).step_by(OUTPUTS) {
            let mut lines = [&gradients.values[..0]; OUTPUTS];
            for (at, line) in lines.iter_mut().enumerate() {
                let output = (first_output + at).min(outputs - 1);
                *line = &gradients.values[output * gradients.pitch..][..length];
            }
            let sums = tile_sums::<OUTPUTS, TAPS, FUSED>(lines, met);
            for (output, sums) in (first_output..outputs).zip(&sums) {
                for (weight, lanes) in (first_weight..weights).zip(sums) {
                    into[output * weights + weight] += fold(lanes);
                }
            }
        }
    }
}

/// The sums of a tile, in lanes.
#[inline(always)]
fn tile_sums<const OUTPUTS: usize, const TAPS: usize, const FUSED: bool>(
    lines: [&[f32]; OUTPUTS],
    met: [&[f32]; TAPS],
) -> [[[f32; LANES]; TAPS]; OUTPUTS] {
    let mut sums = [[[0.0; LANES]; TAPS]; OUTPUTS];
    for from in (0..lines[0].len() / LANES * LANES).step_by(LANES) {
        let mut values = [[0.0; LANES]; TAPS];
        for (values, met) in values.iter_mut().zip(met) {
            values.copy_from_slice(&met[from..from + LANES]);
        }
        for output in 0..OUTPUTS {
            let mut gradient = [0.0; LANES];
            gradient.copy_from_slice(&lines[output][from..from + LANES]);
            for tap in 0..TAPS {
                for lane in 0..LANES {
                    let sum = &mut sums[output][tap][lane];
                    *sum = add_product::<FUSED>(*sum, gradient[lane], values[tap][lane]);
                }
            }
        }
    }
    sums
}

/// `sum + a b`, rounded once where the processor can.
#[inline(always)]
fn add_product<const FUSED: bool>(sum: f32, a: f32, b: f32) -> f32 {
    if FUSED {
        a.mul_add(b, sum)
    } else {
        sum + a * b
    }
}

/// The sum of the lanes, halves onto halves.
#[inline(always)]
fn fold(lanes: &[f32; LANES]) -> f32 {
    let mut lanes = *lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            lanes[at] += lanes[at + half];
        }
        half /= 2;
    }
    lanes[0]
}
