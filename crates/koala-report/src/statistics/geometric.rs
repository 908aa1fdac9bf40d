//! The geometric mean of ratios over workloads, and its interval over workloads and seeds.
//!
//! With a_ws and b_ws the values of an arm and of the reference on workload w with seed s, the ratio of w is
//! r_w = (sum_s a_ws) / (sum_s b_ws), and the mean exp(1/W sum_w ln r_w). A resample draws W workloads with replacement, and for
//! each of them as many seeds as it has, both values of a seed together (a two-level, or cluster, bootstrap: Davison and Hinkley,
//! 1997, "Bootstrap Methods and their Application", section 3.8).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bootstrap;
use crate::Interval;

/// Resamples that are drawn.
const DRAWN: usize = 20_000;
/// So many resamples at least have to lie beyond a quantile for it to be known by drawing.
const BEYOND: f64 = 10.0;
/// Seed of what is drawn, the same for all arms: arms with the same values have the same interval.
const SEED: u64 = 0x6b6f_616c_6121;

/// An arm's value and the reference's, above zero, with the same seed.
pub(crate) type Matched = (f64, f64);

/// The ratio of an arm to the reference on a workload; nothing without seeds, or if it is no number above zero.
pub(crate) fn ratio(seeds: &[Matched]) -> Option<f64> {
    let (arm, reference) = seeds.iter().fold((0.0, 0.0), |(arm, reference), pair| {
        (arm + pair.0, reference + pair.1)
    });
    Some(arm / reference).filter(|ratio| ratio.is_finite() && *ratio > 0.0)
}

/// The geometric mean over workloads; nothing without workloads, or if one has no ratio.
pub(crate) fn geometric_mean(workloads: &[Vec<Matched>]) -> Option<f64> {
    if workloads.is_empty() {
        return None;
    }
    let logarithms: Option<Vec<f64>> = workloads
        .iter()
        .map(|seeds| Some(ratio(seeds)?.ln()))
        .collect();
    Some((logarithms?.iter().sum::<f64>() / workloads.len() as f64).exp())
}

/// The mean's interval at [`crate::CONFIDENCE`]: quantiles of two-level resamples, widened for so few workloads as those of a mean
/// are (see [`bootstrap`]); of one workload, for so few seeds. Nothing if there is no mean, or only one value to resample.
pub(crate) fn interval(workloads: &[Vec<Matched>]) -> Option<Interval> {
    let mean = geometric_mean(workloads)?;
    let units = match workloads {
        [only] => only.len(),
        several => several.len(),
    };
    let tail = bootstrap::tail(units)?;
    let (low, high) = match tail * DRAWN as f64 >= BEYOND {
        true => bootstrap::quantiles(&resamples(workloads)?, tail)?,
        false => ends(workloads),
    };
    // Ratios of resampled sums may lie to one side of the ratio of all.
    Some(Interval {
        low: low.exp().min(mean),
        high: high.exp().max(mean),
    })
}

/// Logarithms of the least and of the largest mean of all resamples: those of one seed of one workload alone.
fn ends(workloads: &[Vec<Matched>]) -> (f64, f64) {
    let seeds = workloads.iter().flatten();
    let ratios = seeds.map(|(arm, reference)| (arm / reference).ln());
    ratios.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ratio| {
        (low.min(ratio), high.max(ratio))
    })
}

/// Logarithms of the means of resamples, ascending.
fn resamples(workloads: &[Vec<Matched>]) -> Option<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut means = Vec::with_capacity(DRAWN);
    for _ in 0..DRAWN {
        let mut sum = 0.0;
        for _ in 0..workloads.len() {
            let seeds = workloads.get(random.random_range(0..workloads.len()))?;
            let (mut arm, mut reference) = (0.0, 0.0);
            for _ in 0..seeds.len() {
                let pair = seeds.get(random.random_range(0..seeds.len()))?;
                arm += pair.0;
                reference += pair.1;
            }
            sum += (arm / reference).ln();
        }
        means.push(sum / workloads.len() as f64);
    }
    means.sort_by(f64::total_cmp);
    Some(means)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} is not {expected}"
        );
    }

    /// With numpy: every one of the 1,728 equally likely resamples, `itertools.product` of workloads and of their seeds, and the
    /// quantiles of the means of their logarithms.
    #[test]
    fn drawn_resamples_are_spread_as_all_of_them() {
        let three = [
            vec![(2.0, 1.0), (3.0, 2.0)],
            vec![(1.0, 2.0), (1.5, 1.0)],
            vec![(4.0, 5.0), (6.0, 4.0)],
        ];
        near(geometric_mean(&three).unwrap(), 1.1556021239177245, 1e-12);
        let drawn = resamples(&three).unwrap();
        for (share, expected) in [
            (0.025, -0.32694308433724206),
            (0.1, -0.15666787641524516),
            (0.5, 0.1917880483011873),
            (0.9, 0.4405852799941065),
            (0.975, 0.5364793041447001),
        ] {
            let at = (share * drawn.len() as f64).ceil() as usize - 1;
            near(drawn[at], expected, 0.012);
        }
        // Of three workloads the widened quantiles are the least and the largest of all.
        let ends = interval(&three).unwrap();
        near(ends.low, 0.5, 1e-12);
        near(ends.high, 2.0, 1e-12);
    }

    /// With numpy over all 3,125 resamples of the seeds: `k = ceil(tail * 5**5)`, `l[k-1]`, `l[-k]`.
    #[test]
    fn of_one_workload_seeds_are_resampled() {
        let seeds = vec![(2.0, 1.0), (3.0, 2.0), (2.5, 3.0), (4.0, 2.0), (1.0, 1.0)];
        let one = [seeds];
        near(geometric_mean(&one).unwrap(), 1.3888888888888888, 1e-12);
        let ends = interval(&one).unwrap();
        near(ends.low, 0.8461538461538461, 0.02);
        near(ends.high, 2.0, 1e-9);
    }

    /// With numpy over two million resamples, at Φ(-t √(10/9)) = 0.85 %.
    #[test]
    fn of_ten_workloads_the_interval_is_that_of_millions_of_resamples() {
        let ten: Vec<Vec<Matched>> = (0..10)
            .map(|i| {
                let turn = if i % 2 == 1 { 1.0 } else { -1.0 };
                let i = f64::from(i);
                let seeds = [0.0, 1.0, 2.0];
                seeds
                    .map(|s| (1.0 + 0.1 * i + 0.05 * s * turn, 1.0 + 0.03 * i * s))
                    .to_vec()
            })
            .collect();
        near(geometric_mean(&ten).unwrap(), 1.2529053662343317, 1e-12);
        let ends = interval(&ten).unwrap();
        near(ends.low, 1.1167152173765664, 0.004);
        near(ends.high, 1.4100156988818193, 0.004);
    }

    /// One seed in three outweighs the others of its workload, and hardly any resample has it on all of twenty: nearly all lie above
    /// the ratio of all runs.
    #[test]
    fn an_interval_holds_its_mean_where_resamples_lie_beside_it() {
        let twenty = vec![vec![(1.0, 1.0), (1.0, 1.0), (1000.0, 2000.0)]; 20];
        let mean = geometric_mean(&twenty).unwrap();
        let drawn = resamples(&twenty).unwrap();
        assert!(drawn[drawn.len() / 40].exp() > mean);
        let ends = interval(&twenty).unwrap();
        assert_eq!(ends.low, mean);
        assert!(ends.high > mean);
    }

    #[test]
    fn nothing_has_no_ratio_and_one_value_no_interval() {
        assert_eq!(ratio(&[]), None);
        assert_eq!(ratio(&[(0.0, 1.0)]), None);
        assert_eq!(ratio(&[(1.0, 0.0)]), None);
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[vec![(1.0, 1.0)], Vec::new()]), None);
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[vec![(2.0, 1.0)]]), None);
        assert!(interval(&[vec![(2.0, 1.0)], vec![(3.0, 1.0)]]).is_some());
    }
}
