//! What holds for all ratios.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Matched, geometric_mean, interval_of_ratios, ratio};

/// Workloads with the values of an arm and of the reference, seed by seed.
fn workloads() -> impl Strategy<Value = Vec<Vec<Matched>>> {
    let value = prop_oneof![0.01f64..100.0, (1u32..6).prop_map(f64::from)];
    vec(vec((value.clone(), value), 1..5), 1..7)
}

fn near(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() <= 1e-9
}

fn mapped(all: &[Vec<Matched>], map: impl Fn(&Matched) -> Matched) -> Vec<Vec<Matched>> {
    all.iter()
        .map(|seeds| seeds.iter().map(&map).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_arm_against_itself_is_exactly_one(all in workloads()) {
        let same = mapped(&all, |pair| (pair.0, pair.0));
        prop_assert_eq!(geometric_mean(&same), Some(1.0));
        if let Some(ends) = interval_of_ratios(&same) {
            prop_assert_eq!((ends.low, ends.high), (1.0, 1.0));
        } else {
            prop_assert!(same.len() == 1 && same[0].len() == 1);
        }
    }

    #[test]
    fn the_interval_holds_the_mean_and_no_more_than_the_ratios_of_seeds(all in workloads()) {
        let mean = geometric_mean(&all).unwrap();
        let ratios = all.iter().flatten().map(|pair| pair.0 / pair.1);
        let (least, most) = ratios.fold((f64::INFINITY, 0.0f64), |ends, one| (ends.0.min(one), ends.1.max(one)));
        if let Some(ends) = interval_of_ratios(&all) {
            prop_assert!(ends.low <= mean && mean <= ends.high);
            prop_assert!(ends.low >= least * (1.0 - 1e-9) && ends.high <= most * (1.0 + 1e-9));
        }
    }

    /// Other units, on each workload its own, change nothing.
    #[test]
    fn scaling_all_results_leaves_ratios(all in workloads(), scales in vec(1e-3f64..1e3, 7)) {
        let scaled: Vec<Vec<Matched>> = all
            .iter()
            .zip(&scales)
            .map(|(seeds, scale)| seeds.iter().map(|pair| (pair.0 * scale, pair.1 * scale)).collect())
            .collect();
        prop_assert!(near(geometric_mean(&scaled).unwrap(), geometric_mean(&all).unwrap()));
        if let Some((one, other)) = interval_of_ratios(&scaled).zip(interval_of_ratios(&all)) {
            prop_assert!(near(one.low, other.low) && near(one.high, other.high));
        }
    }

    #[test]
    fn a_worse_arm_has_a_larger_mean_by_as_much(all in workloads(), factor in 1.0f64..10.0) {
        let worse = mapped(&all, |pair| (pair.0 * factor, pair.1));
        prop_assert!(near(geometric_mean(&worse).unwrap(), factor * geometric_mean(&all).unwrap()));
        if let Some((one, other)) = interval_of_ratios(&worse).zip(interval_of_ratios(&all)) {
            prop_assert!(near(one.low, factor * other.low) && near(one.high, factor * other.high));
        }
    }

    #[test]
    fn who_is_the_reference_turns_all_over(all in workloads()) {
        let turned = mapped(&all, |pair| (pair.1, pair.0));
        prop_assert!(near(geometric_mean(&turned).unwrap(), 1.0 / geometric_mean(&all).unwrap()));
        if let Some((one, other)) = interval_of_ratios(&turned).zip(interval_of_ratios(&all)) {
            prop_assert!(near(one.low, 1.0 / other.high) && near(one.high, 1.0 / other.low));
        }
    }

    #[test]
    fn ratios_of_equal_seeds_are_that_of_one(pair in (0.01f64..100.0, 0.01f64..100.0), n in 1usize..6) {
        prop_assert!(near(ratio(&vec![pair; n]).unwrap(), pair.0 / pair.1));
    }
}
