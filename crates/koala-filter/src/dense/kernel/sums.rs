//! Sums over rows of numbers, with the same bits wherever they are taken.

use crate::dense::real::Real;

/// Independent sums, so that additions need not wait for one another. Fixed: part of the bits of every sum.
const LANES: usize = 16;

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
    let mut totals = across(lanes);
    for index in whole..length {
        let values = terms(rows.map(|row| row[index]));
        for (total, value) in totals.iter_mut().zip(values) {
            *total += value;
        }
    }
    totals
}

/// The sum over the lanes of each of K rows, lane after lane: the rows side by side, so that additions need not wait for one another.
#[inline(always)]
pub(super) fn across<const K: usize, const LANES: usize>(lanes: [[f64; LANES]; K]) -> [f64; K] {
    let mut totals = lanes.map(|row| row[0]);
    for lane in 1..LANES {
        for (total, row) in totals.iter_mut().zip(&lanes) {
            *total += row[lane];
        }
    }
    totals
}
