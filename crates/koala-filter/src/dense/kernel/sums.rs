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
    let mut totals = lanes.map(|lane| lane.iter().sum::<f64>());
    for index in whole..length {
        let values = terms(rows.map(|row| row[index]));
        for (total, value) in totals.iter_mut().zip(values) {
            *total += value;
        }
    }
    totals
}
