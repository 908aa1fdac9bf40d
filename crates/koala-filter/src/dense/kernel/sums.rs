//! Sums over rows of numbers, with the same bits wherever they are taken.

use super::terms::Terms;
use crate::dense::real::Real;

/// Independent sums, so that additions need not wait for one another. Fixed: part of the bits of every sum.
const LANES: usize = 16;

/// Sums of K products per element over rows of equal length, in f64, in a fixed order of additions.
#[inline(always)]
pub(super) fn sums<F: Real, const N: usize, const K: usize>(
    rows: [&[F]; N],
    terms: impl Terms<F, N, K>,
) -> [f64; K] {
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let rows = rows.map(|row| row[..length].as_chunks::<LANES>());
    let mut lanes = [[0.0; LANES]; K];
    for block in 0..length / LANES {
        terms.add(rows.map(|(whole, _)| &whole[block]), &mut lanes);
    }
    // One after the other, onto the lanes' sums.
    let mut totals = across(&lanes).map(|total| [total]);
    for index in 0..length % LANES {
        let rest = rows.map(|(_, rest)| std::array::from_ref(&rest[index]));
        terms.add(rest, &mut totals);
    }
    totals.map(|[total]| total)
}

/// The sum over the lanes of each of K rows, lane after lane: the rows side by side, so that additions need not wait for one another.
///
/// Not inlined: lanes that are seen to be taken one by one here are no longer seen as vectors where they are added up.
#[inline(never)]
pub(super) fn across<const K: usize, const LANES: usize>(lanes: &[[f64; LANES]; K]) -> [f64; K] {
    let mut totals = lanes.map(|row| row[0]);
    for lane in 1..LANES {
        for (total, row) in totals.iter_mut().zip(lanes) {
            *total += row[lane];
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dense::kernel::terms::{Adding, Squares, WithCovariance};

    /// Numbers of single precision of all sizes, those without a leading 1 too.
    fn numbers() -> impl Strategy<Value = Vec<[f32; 4]>> {
        let any = any::<f32>().prop_filter("finite", |number| number.is_finite());
        let number = prop_oneof![any, -2f32..2.0];
        prop::collection::vec(
            [number.clone(), number.clone(), number.clone(), number],
            0..70,
        )
    }

    proptest! {
        /// A processor that multiplies and adds at once gives the bits of one that cannot.
        #[test]
        fn fused_sums_are_the_same(numbers in numbers(), w in -2f32..2.0) {
            let rows = [0, 1, 2, 3].map(|row| numbers.iter().map(|row_of| row_of[row]).collect::<Vec<_>>());
            let [fused, apart] = [true, false].map(|fused| {
                let rows = rows.each_ref().map(Vec::as_slice);
                sums(rows, WithCovariance(Squares(Adding { fused }, w))).map(f64::to_bits)
            });
            prop_assert_eq!(fused, apart);
        }
    }
}
