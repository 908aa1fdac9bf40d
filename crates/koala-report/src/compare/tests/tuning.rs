//! Trials, what was chosen, what it bought, and sweeps.

use super::near;
use crate::testing::{Outcome, Suite, Told, named};
use crate::{ArmKind, Finding, Measure, Role, Sampler, Tuning};

fn told(last: f64) -> Outcome<'static> {
    let evaluations = Box::leak(Box::new([(50, last - 0.05), (100, last)]));
    Outcome::Completed(Told {
        evaluations,
        test: last,
        milliseconds: 10.0,
    })
}

fn trial(trial: usize, rate: f64) -> Role {
    Role::Trial {
        trial,
        values: named(&[("learning-rate", rate)]),
    }
}

#[test]
fn trials_are_means_of_last_evaluations_and_gains_compare_an_optimizer_with_itself() {
    let mut suite = Suite::new(&[0, 1, 2]);
    suite.listing.tuning = Some(Tuning {
        trials: 3,
        sampler: Sampler::Halton,
        seeds: vec![90, 91],
        untuned: Vec::new(),
    });
    suite.workload("digits", Measure::Error, None);
    suite.arm("sgd", &Role::Defaults, 10.0, &[3.0, 3.1, 3.2]);
    suite.arm("adam", &Role::Defaults, 10.0, &[3.0, 3.1, 3.2]);
    for (at, rate, lasts) in [(1, 0.1, [2.0, 3.0]), (0, 0.01, [4.0, 5.0])] {
        for (seed, last) in [90, 91].into_iter().zip(lasts) {
            suite.run("sgd", seed, trial(at, rate), told(last));
        }
    }
    suite.run("sgd", 90, trial(2, 1.0), told(0.1));
    suite.run(
        "sgd",
        91,
        trial(2, 1.0),
        Outcome::Failed("the loss is not finite", &[(10, 0.1)]),
    );
    suite.run(
        "adam",
        90,
        trial(0, 1.0),
        Outcome::Failed("the loss is not finite", &[]),
    );
    suite.choose("sgd", Some(1), &[("learning-rate", 0.1)]);
    suite.choose("adam", None, &[]);
    suite.arm("sgd", &Role::Tuned, 10.0, &[2.0, 2.2, 2.1]);
    let comparison = suite.compare();
    let digits = &comparison.workloads[0];
    let trials: Vec<(&str, usize, Option<f64>, bool)> = digits
        .trials
        .iter()
        .map(|trial| {
            (
                trial.optimizer.as_str(),
                trial.trial,
                trial.validation,
                trial.chosen,
            )
        })
        .collect();
    // A trial that failed with one seed is not judged by the other.
    let expected = [
        ("sgd", 0, Some(4.5), false),
        ("sgd", 1, Some(2.5), true),
        ("sgd", 2, None, false),
        ("adam", 0, None, false),
    ];
    assert_eq!(trials, expected);
    assert_eq!(digits.trials[1].values, named(&[("learning-rate", 0.1)]));
    // Trials are in no arm.
    let arms: Vec<(&str, ArmKind, usize)> = digits
        .arms
        .iter()
        .map(|arm| (arm.optimizer.as_str(), arm.kind, arm.n))
        .collect();
    let expected = [
        ("sgd", ArmKind::Defaults, 3),
        ("sgd", ArmKind::Tuned, 3),
        ("adam", ArmKind::Defaults, 3),
    ];
    assert_eq!(arms, expected);
    assert_eq!(digits.arms[1].values, named(&[("learning-rate", 0.1)]));
    assert_eq!(digits.pairs.len(), 1);
    let [gain] = &digits.gains[..] else { panic!() };
    assert_eq!(
        (gain.first.as_str(), gain.second.as_str(), gain.finding),
        ("sgd", "sgd", Finding::FirstBetter)
    );
    near(gain.mean, -1.0);
    let said = comparison
        .verdict
        .iter()
        .any(|sentence| sentence.text == "On digits, tuning lowered the test error of sgd.");
    assert!(said, "{:#?}", comparison.verdict);
    assert!(
        comparison
            .warnings
            .iter()
            .any(|warning| warning.contains("every trial of adam failed"))
    );
}

#[test]
fn seeds_that_are_tuned_with_and_reported_are_told() {
    let mut suite = Suite::new(&[0, 1, 2]);
    suite.listing.tuning = Some(Tuning {
        trials: 1,
        sampler: Sampler::Grid,
        seeds: vec![2, 9],
        untuned: Vec::new(),
    });
    let told =
        "Used both for tuning and for reporting, which makes tuned results too good: seed 2.";
    assert!(
        suite
            .compare()
            .warnings
            .iter()
            .any(|warning| warning.contains(told))
    );
}

#[test]
fn sweeps_are_ascending_and_failures_infinite() {
    let mut suite = Suite::new(&[0, 1, 2]);
    suite.workload("digits", Measure::Error, None);
    let at = |value| Role::Sweep {
        parameter: "gain".to_owned(),
        value,
        default: 1.0,
    };
    for (value, best) in [(10.0, 5.0), (0.1, 4.0), (1.0, 2.0)] {
        for seed in 0..3 {
            suite.run("koala-v", seed, at(value), told(best + seed as f64));
        }
    }
    suite.run(
        "koala-v",
        0,
        at(100.0),
        Outcome::Failed("the loss is not finite", &[(10, 3.0)]),
    );
    let comparison = suite.compare();
    let [sweep] = &comparison.workloads[0].sweeps[..] else {
        panic!()
    };
    assert_eq!(
        (
            sweep.optimizer.as_str(),
            sweep.parameter.as_str(),
            sweep.default
        ),
        ("koala-v", "gain", 1.0)
    );
    let points: Vec<(f64, Option<f64>, usize)> = sweep
        .points
        .iter()
        .map(|point| {
            (
                point.value,
                point.validation.mean,
                point.validation.infinite,
            )
        })
        .collect();
    assert_eq!(
        points,
        [
            (0.1, Some(4.95), 0),
            (1.0, Some(2.95), 0),
            (10.0, Some(5.95), 0),
            (100.0, None, 1)
        ]
    );
    assert!(comparison.workloads[0].arms.is_empty());
}

/// The same configuration has the same folder, in whatever role.
#[test]
fn tuning_that_kept_the_defaults_is_told_as_such_and_is_no_comparison() {
    let mut suite = Suite::new(&[0, 1, 2]);
    suite.workload("digits", Measure::Error, None);
    suite.arm("koala-m", &Role::Defaults, 10.0, &[3.0, 3.1, 3.2]);
    suite.arm("sgd", &Role::Defaults, 10.0, &[3.0, 3.1, 3.3]);
    let mut kept: Vec<_> = suite.listing.runs[..3].to_vec();
    for run in &mut kept {
        run.role = Role::Tuned;
    }
    suite.listing.runs.extend(kept);
    suite.arm("sgd", &Role::Tuned, 10.0, &[2.0, 2.2, 2.1]);
    let comparison = suite.compare();
    let [koala, sgd] = &comparison.workloads[0].gains[..] else {
        panic!()
    };
    assert_eq!(
        (koala.finding, koala.mean, koala.adjusted),
        (Finding::Same, None, None)
    );
    // One comparison, so that nothing is adjusted: 1 - |t| / sqrt(2 + t²), of -1.0, -0.9 and -1.2.
    assert_eq!(sgd.finding, Finding::FirstBetter);
    near(sgd.adjusted, 0.007_205_446_408_459_77);
    let said = comparison.verdict.iter().any(|sentence| {
        sentence.text
            == "On digits, tuning kept the defaults of koala-m; it lowered the test error of sgd."
    });
    assert!(said, "{:#?}", comparison.verdict);
}
