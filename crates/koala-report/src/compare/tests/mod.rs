//! What a comparison finds, against numbers that were worked out by hand and with scipy.

mod numbers;
mod overview;
mod reference;
mod states;
mod tuning;
mod verdict;
mod writers;

use crate::Summary;

/// Whether two numbers are the same to ten digits.
#[track_caller]
fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() <= 1e-10 * expected.abs().max(1.0),
        "{found} is not {expected}"
    );
}

#[track_caller]
fn summary(found: &Summary, n: usize, mean: f64, deviation: f64, low: f64, high: f64) {
    assert_eq!((found.n, found.infinite), (n, 0));
    near(found.mean, mean);
    near(found.deviation, deviation);
    near(found.interval.map(|interval| interval.low), low);
    near(found.interval.map(|interval| interval.high), high);
}
