//! Two arms, seed by seed.

use super::{bootstrap, moments, sign_flip, student};
use crate::{CONFIDENCE, Finding, Interval};

/// Fewest seeds of which anything is said.
pub(crate) const LEAST: usize = 3;
/// Differences that are apart by less than this share of the largest are equal but for rounding.
const ROUNDING: f64 = 1e-9;

/// Differences, first minus second, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Differences {
    pub(crate) mean: Option<f64>,
    pub(crate) interval: Option<Interval>,
    pub(crate) p: Option<f64>,
    /// Two-sided, Student's: to be adjusted for many comparisons, for which the sign-flip test is too coarse. That test's where
    /// all differences are the same.
    pub(crate) two_sided: Option<f64>,
}

impl Differences {
    pub(crate) fn of(differences: &[f64]) -> Self {
        let mean = moments::mean(differences);
        if differences.len() < LEAST {
            return Self {
                mean,
                interval: None,
                p: None,
                two_sided: None,
            };
        }
        let p = mean.map(|mean| one_sided(differences, mean));
        let spread = has_spread(differences);
        Self {
            mean,
            interval: spread.then(|| interval(differences)).flatten(),
            p,
            two_sided: if spread {
                student::two_sided(differences)
            } else {
                p.map(|p| (2.0 * p).min(1.0))
            },
        }
    }

    /// What may be said of two arms of which `unbroken` (first, second) have no failed run. Who has one is never found better: the
    /// differences know nothing of the seeds on which it broke off.
    pub(crate) fn finding(&self, unbroken: (bool, bool)) -> Finding {
        match ahead(self.mean, self.interval, self.p) {
            _ if self.p.is_none() => Finding::TooFew,
            Some(Ahead::First) if unbroken.0 => Finding::FirstBetter,
            Some(Ahead::Second) if unbroken.1 => Finding::SecondBetter,
            _ => Finding::Undecided,
        }
    }
}

/// Who is ahead by more than chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    First,
    Second,
}

/// Who is ahead: by the interval; where there is none because all differences are the same, by the signs alone, which takes six
/// seeds at a confidence of 95 %.
pub(crate) fn ahead(
    mean: Option<f64>,
    interval: Option<Interval>,
    p: Option<f64>,
) -> Option<Ahead> {
    let (low, high) = match interval {
        Some(interval) => (interval.low, interval.high),
        None if p? <= (1.0 - CONFIDENCE) / 2.0 => (mean?, mean?),
        None => return None,
    };
    if high < 0.0 {
        Some(Ahead::First)
    } else if low > 0.0 {
        Some(Ahead::Second)
    } else {
        None
    }
}

/// Whether differences differ by more than rounding. If not, they are equal because the measure is coarse (an error counted over
/// few samples), and say nothing of how far the mean may be off: every interval would have no width, and any number of
/// seeds would decide.
fn has_spread(differences: &[f64]) -> bool {
    let largest = differences.iter().fold(0.0, |largest: f64, difference| {
        largest.max(difference.abs())
    });
    let apart = |difference: &f64| (difference - differences[0]).abs() > largest * ROUNDING;
    differences.iter().any(apart)
}

/// The bootstrap's interval, and Student's where that is wider: the former follows lopsided values, the latter holds for so few
/// of them that resampling cannot know their spread (below five seeds it always is the wider one).
fn interval(differences: &[f64]) -> Option<Interval> {
    let student = student::interval(differences)?;
    let bootstrap = bootstrap::interval(differences)?;
    Some(Interval {
        low: student.low.min(bootstrap.low),
        high: student.high.max(bootstrap.high),
    })
}

/// How often would whoever is ahead be ahead as far, or farther?
fn one_sided(differences: &[f64], mean: f64) -> f64 {
    if mean > 0.0 {
        let swapped: Vec<f64> = differences.iter().map(|difference| -difference).collect();
        sign_flip::p_below(&swapped)
    } else {
        sign_flip::p_below(differences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bootstrap's end below, Student's above: -4.04 to -0.1 and -3.808 to 1.608 (scipy, as in `bootstrap.rs`).
    #[test]
    fn each_end_is_that_of_the_wider_interval() {
        let found = interval(&[-0.1, -0.1, -0.1, -0.2, -5.0]).unwrap();
        assert!((found.low + 4.04).abs() < 1e-12, "{found:?}");
        assert!((found.high - 1.6075678566732399).abs() < 1e-9, "{found:?}");
    }
}
