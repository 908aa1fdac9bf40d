//! Halton's sequence (Halton, 1960): points of the unit cube that fill it evenly, the same ones everywhere.

/// The primes that stand for the first dimensions. In higher ones the first points lie on a line.
const PRIMES: [u8; 6] = [2, 3, 5, 7, 11, 13];

/// Dimensions that there are points for.
pub(super) const DIMENSIONS: usize = PRIMES.len();

/// A coordinate of a point, in (0, 1): the digits of the point's number in the dimension's base, mirrored at the point.
/// Numbers begin with 1 (0 is the corner); the first coordinates of dimension 0 are 1/2, 1/4, 3/4, 1/8. Dimensions above
/// [`DIMENSIONS`] begin anew.
pub(super) fn coordinate(number: usize, dimension: usize) -> f64 {
    // Not the crate's `Sequence`: it rounds otherwise, and its `nth`, and so `skip`, is wrong above 255.
    ::halton::number(PRIMES[dimension % DIMENSIONS], number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_points() {
        let first = |dimension| [1, 2, 3, 4, 5].map(|number| coordinate(number, dimension));
        assert_eq!(first(0), [0.5, 0.25, 0.75, 0.125, 0.625]);
        let thirds = [1.0, 2.0, 1.0 / 3.0, 4.0 / 3.0, 7.0 / 3.0].map(|n| n / 3.0);
        for (found, expected) in first(1).into_iter().zip(thirds) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    /// A campaign that goes on must find the trials that it began with.
    #[test]
    fn the_bits_never_change() {
        let bits = |number| [0, 1, 2, 3, 4, 5].map(|d| coordinate(number, d).to_bits());
        let expected = [
            0x3fb4_0000_0000_0000,
            0x3fdf_9add_3c0c_a458,
            0x3fc0_624d_d2f1_a9fc,
            0x3fea_1f58_d0fa_c687,
            0x3fe5_2832_c6e0_43b4,
            0x3fb8_3c97_7ab2_bede,
        ];
        assert_eq!(bits(40), expected);
        let expected = [
            0x3fec_f800_0000_0000,
            0x3f8d_079b_ccf6_c0ac,
            0x3fef_db4c_c250_7209,
            0x3fe8_bfeb_874d_ba45,
            0x3fea_e730_46c7_a539,
            0x3fed_3b8b_02e9_be85,
        ];
        assert_eq!(bits(999), expected);
    }

    proptest! {
        /// Of the first `base^k` points each of as many equal parts has exactly one.
        #[test]
        fn every_part_has_its_point(dimension in 0usize..3, digits in 1u32..4) {
            let parts = usize::from(PRIMES[dimension]).pow(digits);
            let mut met = vec![0; parts];
            for number in parts..2 * parts {
                // The middle of what rounding could move.
                let place = coordinate(number, dimension) * parts as f64 + 1e-9;
                met[place as usize] += 1;
            }
            prop_assert!(met.iter().all(|count| *count == 1), "{met:?}");
        }
    }
}
