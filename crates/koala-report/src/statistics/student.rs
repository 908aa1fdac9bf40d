//! Student's t.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::moments::{deviation, mean};
use crate::{CONFIDENCE, Interval};

/// Quantile of Student's t with this many degrees of freedom; nothing for 0 of them.
pub(super) fn quantile(freedom: usize, probability: f64) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    Some(t.inverse_cdf(probability))
}

/// The mean's confidence interval at [`CONFIDENCE`], as if the values were normal; nothing below two values.
pub(super) fn interval(values: &[f64]) -> Option<Interval> {
    let (mean, deviation) = (mean(values)?, deviation(values)?);
    let n = values.len();
    let half = quantile(n - 1, 0.5 + CONFIDENCE / 2.0)? * deviation / (n as f64).sqrt();
    Some(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// Two-sided p of the hypothesis that the mean is 0, as if the values were normal; nothing below two values. 1 if all are 0,
/// and 0 if all are the same otherwise.
pub(super) fn two_sided(values: &[f64]) -> Option<f64> {
    let (mean, deviation) = (mean(values)?, deviation(values)?);
    if mean == 0.0 {
        return Some(1.0);
    }
    let n = values.len() as f64;
    let t = mean.abs() / (deviation / n.sqrt());
    if t == f64::INFINITY {
        return Some(0.0);
    }
    let distribution = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    Some((2.0 * distribution.sf(t)).min(1.0))
}
