//! Halton's sequence (Halton, 1960): points of the unit cube that fill it evenly, the same ones everywhere.

/// The primes that stand for the first dimensions. In higher ones the first points lie on a line.
const PRIMES: [u64; 6] = [2, 3, 5, 7, 11, 13];

/// Dimensions that there are points for.
pub(super) const DIMENSIONS: usize = PRIMES.len();

/// A coordinate of a point, in (0, 1): the digits of the point's number in the dimension's base, mirrored at the point.
/// Numbers begin with 1 (0 is the corner); the first coordinates of dimension 0 are 1/2, 1/4, 3/4, 1/8. Dimensions above
/// [`DIMENSIONS`] begin anew.
pub(super) fn halton(number: u64, dimension: usize) -> f64 {
    let base = PRIMES[dimension % DIMENSIONS];
    let (mut left, mut share, mut sum) = (number, 1.0, 0.0);
    while left > 0 {
        share /= base as f64;
        sum += share * (left % base) as f64;
        left /= base;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_points() {
        let first = |dimension| [1, 2, 3, 4, 5].map(|number| halton(number, dimension));
        assert_eq!(first(0), [0.5, 0.25, 0.75, 0.125, 0.625]);
        let thirds = [1.0, 2.0, 1.0 / 3.0, 4.0 / 3.0, 7.0 / 3.0].map(|n| n / 3.0);
        for (found, expected) in first(1).into_iter().zip(thirds) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    proptest! {
        /// Of the first `base^k` points each of as many equal parts has exactly one.
        #[test]
        fn every_part_has_its_point(dimension in 0usize..3, digits in 1u32..4) {
            let parts = PRIMES[dimension].pow(digits);
            let mut met = vec![0; parts as usize];
            for number in parts..2 * parts {
                // The middle of what rounding could move.
                let place = halton(number, dimension) * parts as f64 + 1e-9;
                met[place as usize] += 1;
            }
            prop_assert!(met.iter().all(|count| *count == 1), "{met:?}");
        }
    }
}
