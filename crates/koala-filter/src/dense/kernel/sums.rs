//! Sums over rows of numbers, with the same bits wherever they are taken.

use crate::dense::real::Real;

/// Independent sums, so that additions need not wait for one another. Fixed: part of the bits of every sum.
pub(super) const LANES: usize = 8;

/// Sums of K terms per element over rows of equal length, in f64, in a fixed order of additions.
#[inline(always)]
pub(super) fn sums<F: Real, const N: usize, const K: usize>(
    rows: [&[F]; N],
    terms: impl Fn([F; N]) -> [f64; K],
) -> [f64; K] {
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let rows = rows.map(|row| &row[..length]);
    let mut lanes = [[0.0; LANES]; K];
    let whole = length - length % LANES;
    for start in (0..whole).step_by(LANES) {
        let block: [&[F]; N] = rows.map(|row| &row[start..start + LANES]);
        for lane in 0..LANES {
            let values = terms(block.map(|row| row[lane]));
            for (sum, value) in lanes.iter_mut().zip(values) {
                sum[lane] += value;
            }
        }
    }
    let mut totals = lanes.map(|lane| lane.iter().sum::<f64>());
    for index in whole..length {
        let values = terms(rows.map(|row| row[index]));
        for (total, value) in totals.iter_mut().zip(values) {
            *total += value;
        }
    }
    totals
}

/// Elements that are summed in their own type before the sum goes on in f64.
pub(super) const TIER: usize = 512;

/// Lanes of a tier: each adds up so few numbers that single precision loses next to nothing.
const TIER_LANES: usize = 16;

/// a . b of at most [`TIER`] elements.
#[inline(always)]
pub(super) fn dot<F: Real>(a: &[F], b: &[F]) -> f64 {
    let (a, a_rest) = a.as_chunks::<TIER_LANES>();
    let (b, b_rest) = b.as_chunks::<TIER_LANES>();
    let mut lanes = [F::default(); TIER_LANES];
    for (a, b) in a.iter().zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane = *lane + a * b;
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane = *lane + a * b;
    }
    lanes.iter().map(|lane| lane.to_f64()).sum()
}

/// As [`dot`], of numbers and 1.
#[inline(always)]
pub(super) fn sum<F: Real>(a: &[F]) -> f64 {
    let (a, rest) = a.as_chunks::<TIER_LANES>();
    let mut lanes = [F::default(); TIER_LANES];
    for a in a {
        for (lane, &a) in lanes.iter_mut().zip(a) {
            *lane = *lane + a;
        }
    }
    for (lane, &a) in lanes.iter_mut().zip(rest) {
        *lane = *lane + a;
    }
    lanes.iter().map(|lane| lane.to_f64()).sum()
}

/// The largest of `values` over rows of equal length, at least 0.
#[inline(always)]
pub(super) fn largest<F: Real, const N: usize>(
    rows: [&[F]; N],
    value: impl Fn([F; N]) -> F,
) -> f64 {
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let rows = rows.map(|row| &row[..length]);
    let mut lanes = [F::default(); LANES];
    let larger = |found: F, value: F| if value > found { value } else { found };
    let whole = length - length % LANES;
    for start in (0..whole).step_by(LANES) {
        let block: [&[F]; N] = rows.map(|row| &row[start..start + LANES]);
        for (lane, found) in lanes.iter_mut().enumerate() {
            *found = larger(*found, value(block.map(|row| row[lane])));
        }
    }
    let mut found = lanes.into_iter().fold(F::default(), larger);
    for index in whole..length {
        found = larger(found, value(rows.map(|row| row[index])));
    }
    found.to_f64()
}
