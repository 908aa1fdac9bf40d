//! The bootstrap of a mean: every resample for few values, many drawn ones otherwise.
//!
//! Efron (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics 7; its quantiles are widened as
//! Hesterberg (2015), "What teachers should know about the bootstrap", The American Statistician 69, does (the expanded
//! percentile interval).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::moments::mean;
use super::student;
use crate::{CONFIDENCE, Interval};

/// Up to so many values every resample is taken: 6,435 that differ, of 16,777,216.
const EXACT: usize = 8;
/// Resamples that are drawn above it.
const DRAWN: usize = 20_000;
/// Seed of what is drawn, the same for all comparisons: the same differences have the same interval.
const SEED: u64 = 0x6b6f_616c_6121;

/// A resample's mean and its probability.
type Weighted = (f64, f64);

/// The mean's interval at [`CONFIDENCE`] by the bootstrap's quantiles; nothing below two values.
///
/// The quantiles are those that make the interval of normal values as wide as Student's: those at [`CONFIDENCE`] itself are too
/// narrow, by a factor of 2.7 for 3 values and 1.6 for 5. No quantile leads out of the values, so that however it is
/// chosen, the interval covers a symmetric distribution's mean with a probability of at most 1 - 2^(1-n).
pub(super) fn interval(values: &[f64]) -> Option<Interval> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    // What is drawn must not depend on which arm is the first.
    if mean(values)? > 0.0 {
        let swapped: Vec<f64> = values.iter().map(|value| -value).collect();
        let Interval { low, high } = interval(&swapped)?;
        return Some(Interval {
            low: -high,
            high: -low,
        });
    }
    let tail = tail(n)?;
    let mut means = if n <= EXACT {
        every(values)?
    } else {
        drawn(values)?
    };
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(Interval {
        low: quantile(means.iter(), tail)?,
        high: quantile(means.iter().rev(), tail)?,
    })
}

/// The probability on each side of an interval of `n` values, Φ(-t √(n/(n-1))); nothing below two values.
pub(super) fn tail(n: usize) -> Option<f64> {
    let freedom = n.checked_sub(1).filter(|freedom| *freedom > 0)?;
    let t = student::quantile(freedom, 0.5 + CONFIDENCE / 2.0)?;
    let wider = t * (n as f64 / freedom as f64).sqrt();
    Some(Normal::standard().cdf(-wider))
}

/// The values of equally likely resamples, ascending, at which `tail` of them is reached from either side.
pub(super) fn quantiles(resamples: &[f64], tail: f64) -> Option<(f64, f64)> {
    let reached = (tail * resamples.len() as f64).ceil() as usize;
    let at = reached.max(1) - 1;
    let last = resamples.len().checked_sub(1)?;
    Some((*resamples.get(at)?, *resamples.get(last.checked_sub(at)?)?))
}

/// The first value, in this order, up to which at least `tail` of the probability lies.
fn quantile<'a>(means: impl Iterator<Item = &'a Weighted>, tail: f64) -> Option<f64> {
    let mut sum = 0.0;
    means
        .map(|(mean, weight)| {
            sum += weight;
            (*mean, sum)
        })
        .find(|(_, sum)| *sum >= tail)
        .map(|(mean, _)| mean)
}

/// The mean of every resample, resamples that differ in order only taken once, with their probability
/// n! / (c_1! ... c_n!) / n^n for counts c.
fn every(values: &[f64]) -> Option<Vec<Weighted>> {
    let middle = mean(values)?;
    let n = values.len();
    let mut means = Vec::new();
    let mut counts = vec![0; n];
    // About the mean, so that rounding does not depend on how far it is from 0.
    let centred: Vec<f64> = values.iter().map(|value| value - middle).collect();
    resample(&centred, &mut counts, 0, n, &mut |counts| {
        let sum: f64 = counts
            .iter()
            .zip(&centred)
            .map(|(count, value)| f64::from(*count) * value)
            .sum();
        let ways = factorial(n)
            / counts
                .iter()
                .map(|count| factorial(*count as usize))
                .product::<f64>();
        means.push((middle + sum / n as f64, ways / (n as f64).powi(n as i32)));
    });
    Some(means)
}

/// Calls `each` for all ways to share `left` draws among the values from `at` on.
fn resample(
    values: &[f64],
    counts: &mut [u32],
    at: usize,
    left: usize,
    each: &mut impl FnMut(&[u32]),
) {
    let Some(last) = values.len().checked_sub(1) else {
        return;
    };
    if at == last {
        counts[at] = left as u32;
        each(counts);
        return;
    }
    for count in 0..=left {
        counts[at] = count as u32;
        resample(values, counts, at + 1, left - count, each);
    }
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|factor| factor as f64).product()
}

fn drawn(values: &[f64]) -> Option<Vec<Weighted>> {
    let middle = mean(values)?;
    let n = values.len();
    // Sorted, so that the order in which seeds are listed does not matter.
    let mut centred: Vec<f64> = values.iter().map(|value| value - middle).collect();
    centred.sort_by(f64::total_cmp);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let means = (0..DRAWN).map(|_| {
        let sum: f64 = (0..n).map(|_| centred[random.random_range(0..n)]).sum();
        (middle + sum / n as f64, 1.0 / DRAWN as f64)
    });
    Some(means.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn quantiles(values: &[f64], low: f64, high: f64) {
        let found = interval(values).unwrap();
        assert!((found.low - low).abs() < 1e-12, "{found:?}");
        assert!((found.high - high).abs() < 1e-12, "{found:?}");
    }

    /// With numpy and scipy, over all n**n resamples in their order:
    /// `tail = stats.norm.cdf(-stats.t.ppf(.975, n-1) * np.sqrt(n/(n-1)))`,
    /// `means = np.sort([np.mean(c) for c in itertools.product(d, repeat=n)])`, `k = ceil(tail * n**n)`, `means[k-1], means[-k]`.
    #[test]
    fn quantiles_are_those_of_all_resamples_one_by_one() {
        quantiles(&[-1.0, -1.1, -0.9], -1.1, -0.9);
        quantiles(&[-0.1, -0.1, -0.1, -0.2, -5.0], -4.04, -0.1);
        quantiles(&[5.0, 0.1, 0.1, 0.2, 0.1], 0.1, 4.04);
        let eight = [-1.0, -1.1, -0.9, -1.2, -1.05, -0.95, -1.0, -6.0];
        quantiles(&eight, -3.51875, -0.9625);
    }

    /// As [`super::super::properties`] says of whole comparisons, where Student's interval mostly hides it.
    #[test]
    fn drawn_quantiles_depend_on_neither_order_nor_side() {
        let values: Vec<f64> = (1..=12).map(|at| -1.0 / f64::from(at)).collect();
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let swapped: Vec<f64> = values.iter().map(|value| -value).collect();
        let found = interval(&values).unwrap();
        let other = interval(&swapped).unwrap();
        quantiles(&reversed, found.low, found.high);
        assert_eq!((found.low, found.high), (-other.high, -other.low));
    }

    #[test]
    fn drawn_quantiles_are_near_exact_ones() {
        let eight = [-1.0, -1.1, -0.9, -1.2, -1.05, -0.95, -1.0, -2.0];
        let sorted = |mut means: Vec<Weighted>| {
            means.sort_by(|a, b| a.0.total_cmp(&b.0));
            means
        };
        let (exact, drawn) = (
            sorted(every(&eight).unwrap()),
            sorted(drawn(&eight).unwrap()),
        );
        for tail in [0.006, 0.025, 0.5, 0.975] {
            let (exact, drawn) = (quantile(exact.iter(), tail), quantile(drawn.iter(), tail));
            assert!(
                (exact.unwrap() - drawn.unwrap()).abs() < 0.02,
                "{exact:?}, {drawn:?}"
            );
        }
    }
}
