//! Mean, spread and median of a measure over seeds.

use super::moments::{deviation, mean};
use super::student;
use crate::Summary;

/// The median, infinite values above all others; nothing without values. Between a finite and an infinite value it is
/// infinite: half of the runs are not known to have come that far.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2.0).map(|middle| if upper.is_finite() { middle } else { upper })
}

impl Summary {
    /// Sums up values, of which infinite ones stand for runs that never came there. What is not a number counts as infinite.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values
            .into_iter()
            .map(|value| {
                if value.is_finite() {
                    value
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        let infinite = values.iter().filter(|value| value.is_infinite()).count();
        let whole = infinite == 0;
        Self {
            n: values.len(),
            infinite,
            mean: whole.then(|| mean(&values)).flatten(),
            deviation: whole.then(|| deviation(&values)).flatten(),
            interval: whole.then(|| student::interval(&values)).flatten(),
            median: median(&values).filter(|median| median.is_finite()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: f64 = f64::INFINITY;

    #[test]
    fn one_value_has_no_spread_and_none_has_nothing() {
        let one = Summary::of([2.5]);
        assert_eq!((one.mean, one.median), (Some(2.5), Some(2.5)));
        assert_eq!((one.deviation, one.interval), (None, None));
        let none = Summary::of([]);
        assert_eq!((none.n, none.mean, none.median), (0, None, None));
    }

    #[test]
    fn infinite_values_move_the_median_and_leave_no_mean() {
        let some = Summary::of([NEVER, 1.0, 3.0]);
        assert_eq!((some.n, some.infinite, some.median), (3, 1, Some(3.0)));
        assert_eq!(
            (some.mean, some.deviation, some.interval),
            (None, None, None)
        );
        // Half of them is not known to have come there.
        assert_eq!(Summary::of([1.0, NEVER, 3.0, NEVER]).median, None);
        assert_eq!(Summary::of([1.0, 2.0, 3.0, NEVER]).median, Some(2.5));
        assert_eq!(Summary::of([f64::NAN, f64::NEG_INFINITY, 1.0]).infinite, 2);
    }

    #[test]
    fn two_values_have_the_interval_of_one_degree_of_freedom() {
        // scipy.stats.t.ppf(.975, 1) = 12.706204736174694; the deviation is sqrt(0.5), over sqrt(2) a half.
        let two = Summary::of([2.0, 3.0]);
        let interval = two.interval.unwrap();
        assert!((interval.high - 2.5 - 12.706204736174694 / 2.0).abs() < 1e-9);
        assert!((interval.low - 2.5 + 12.706204736174694 / 2.0).abs() < 1e-9);
    }
}
