//! One reading of the tensors or two: the sums are those of the floor of this update.

use koala_filter::dense::{Real, kernel};
use koala_filter::{MetricSums, Reduction, Sums};
use proptest::prelude::*;

use crate::support::noise;

/// ŝ, h and v of one element.
type Row = [f64; 3];

/// The sums with this floor, and with what another changes if `assumed`.
fn taken<F: Real>(rows: &[Row], floor: f64) -> (Reduction, MetricSums) {
    let column = |at: usize| -> Vec<F> { rows.iter().map(|row| F::from_f64(row[at])).collect() };
    // With β = 0.5 and a correction of 2, ŝ = s + h².
    let reduction = Reduction {
        decay: 0.0,
        sums: Sums::DiagonalMetric {
            smoothing: 0.5,
            correction: 2.0,
            floor,
        },
    };
    let (s, g, v) = (column(0), column(1), column(2));
    let found = kernel::reduce(&reduction, &[], &g, [&v, &s, &[]]);
    (reduction, found.metric)
}

/// The sums of a first reading at another floor, as the filter moves them.
fn moved(sums: &MetricSums, shift: f64) -> [f64; 4] {
    [
        sums.weighted_second_moment - shift * sums.slopes.second_moment,
        sums.weighted_gradient - shift * sums.slopes.gradient,
        sums.direction_squared - 2.0 * shift * sums.slopes.direction,
        sums.weighted_velocity + shift * sums.slopes.velocity,
    ]
}

fn weighted(sums: &MetricSums) -> [f64; 4] {
    [
        sums.weighted_second_moment,
        sums.weighted_gradient,
        sums.direction_squared,
        sums.weighted_velocity,
    ]
}

/// Elements whose roots lie between `least` and 1.
fn rows(seed: u64, length: usize, least: f64) -> Vec<Row> {
    let element = |index: u64| {
        let draw = |kind: u64| noise(seed ^ (4 * index + kind));
        let root = least.powf(draw(0).abs());
        [root * root * draw(1).abs(), root * draw(2), draw(3)]
    };
    (0..length as u64).map(element).collect()
}

proptest! {
    /// What is called settled is: whatever the floors, and however small the roots beside them.
    #[test]
    fn settled_sums_are_those_with_the_floor_itself(
        seed: u64, length in 1_usize..100, least in -12.0..0.0_f64, floor in -10.0..-1.0_f64,
        shift in -0.9..2.0_f64, rounding in -15.0..-2.0_f64,
    ) {
        let (floor, rounding) = (10.0_f64.powf(floor), 10.0_f64.powf(rounding));
        let rows = rows(seed, length, 10.0_f64.powf(least));
        let (reduction, first) = taken::<f64>(&rows, floor);
        let shift = shift * floor;
        let (_, expected) = taken::<f64>(&rows, floor + shift);
        if reduction.settles(&first, floor + shift, rounding) {
            for (found, expected) in moved(&first, shift).iter().zip(weighted(&expected)) {
                let error = (found - expected).abs() / expected;
                prop_assert!(error <= 1.01 * rounding + 1e-13, "{error} {rounding}");
            }
        }
        prop_assert_eq!(first.largest, expected.largest);
        prop_assert_eq!(first.velocity_gradient, expected.velocity_gradient);
    }
}

/// In single precision, a floor that moves as the largest ŝ does from step to step needs no second reading, unless roots are
/// as small as it; in double precision it does.
#[test]
fn a_floor_that_hardly_moves_is_settled_in_single_precision() {
    let floor = 1e-8;
    for (least, settled) in [(1e-3, true), (1e-10, false)] {
        let rows = rows(1, 10_000, least);
        for moved in [0.99 * floor, 1.01 * floor] {
            let (reduction, sums) = taken::<f32>(&rows, floor);
            let found = reduction.settles(&sums, moved, f32::ROUNDING);
            assert_eq!(found, settled, "{least} {moved}");
            let (reduction, sums) = taken::<f64>(&rows, floor);
            assert!(!reduction.settles(&sums, moved, f64::ROUNDING));
        }
    }
}

#[test]
fn a_floor_that_stays_and_gradients_of_zeros_are_settled() {
    let (reduction, sums) = taken::<f64>(&rows(2, 100, 1e-10), 1e-8);
    assert!(reduction.settles(&sums, 1e-8, f64::ROUNDING));
    let (reduction, sums) = taken::<f32>(&[[0.0, 0.0, 0.5]; 40], 1e-8);
    assert!(reduction.settles(&sums, 1e-3, f32::ROUNDING));
    assert_eq!(moved(&sums, 1.0)[3], sums.weighted_velocity + 10.0);
}

/// What does not fit single precision is not taken for settled.
#[test]
fn sums_that_overflow_are_not_settled() {
    let (reduction, sums) = taken::<f32>(&[[0.0, 1e-24, 0.0]], 1e-30);
    assert!(sums.weighted_gradient.is_finite());
    assert!(!sums.slopes.direction.is_finite());
    assert!(!reduction.settles(&sums, 1e-28, f32::ROUNDING));
}
