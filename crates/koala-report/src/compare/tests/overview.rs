//! The answer in a line, for each kind of outcome; who is better than whom; what tuning chose and how runs end.

use crate::testing::{Outcome, Suite, Told};
use crate::{Comparison, Edge, Horizon, Measure, Role, Sampler, Tuning, Verdicts};

const WORSE: [f64; 4] = [3.0, 3.1, 2.9, 3.05];
const BETTER: [f64; 4] = [2.0, 2.1, 1.95, 2.0];
const LIKE: [f64; 4] = [2.5, 3.6, 2.4, 3.6];

/// A suite of workloads with these results of KOALA, beside those of a tuned AdamW, which are [`WORSE`].
fn suite(koala: &[&[f64]]) -> Suite {
    let mut suite = Suite::new(&[0, 1, 2, 3]);
    suite.listing.reference = Some("adamw".to_owned());
    for (at, results) in koala.iter().enumerate() {
        suite.workload(&format!("w{at}"), Measure::Error, None);
        suite.arm("koala-a", &Role::Defaults, 1.0, results);
        suite.arm("adamw", &Role::Tuned, 1.0, &WORSE);
    }
    suite
}

fn answer(suite: &Suite) -> String {
    suite.compare().overview.answer
}

#[test]
fn of_one_problem_the_interval_of_the_differences_decides() {
    let told = |results: &[f64]| {
        let overview = suite(&[results]).compare().overview;
        (overview.answer, overview.grounds)
    };
    let (answer, grounds) = told(&BETTER);
    assert_eq!(
        answer,
        "On w0, koala-a (untuned) is better than tuned adamw."
    );
    // The differences -1, -1, -0.95 and -1.05: the mean -1, t = 3.18, s = 0.0408.
    assert_eq!(
        grounds,
        "Its test error differs by -1.00 points (95 % interval -1.06 to -0.94, 4 seeds)."
    );
    assert_eq!(
        told(&[4.0, 4.2, 3.9, 4.0]).0,
        "On w0, koala-a (untuned) is worse than tuned adamw."
    );
    assert_eq!(
        told(&LIKE).0,
        "On w0, koala-a (untuned) is too close to tuned adamw to call."
    );
    assert_eq!(
        told(&[2.0, 2.1]),
        (
            "On w0, koala-a (untuned) stands beside tuned adamw: it takes 3 seeds to say who is better.".to_owned(),
            "Its test error differs by -1.00 points (2 seeds).".to_owned()
        )
    );
}

#[test]
fn of_few_problems_each_is_counted_and_nothing_is_said_over_all() {
    assert_eq!(
        answer(&suite(&[&BETTER, &LIKE, &LIKE])),
        "On your 3 problems, koala-a (untuned) is better than tuned adamw on 1, 2 undecided."
    );
    assert_eq!(
        answer(&suite(&[&LIKE, &LIKE])),
        "On your 2 problems, koala-a (untuned) is too close to tuned adamw to call on any of them."
    );
    assert_eq!(
        answer(&suite(&[&[2.0, 2.1], &[9.0, 9.1]])),
        "On your 2 problems, koala-a (untuned) stands beside tuned adamw: it takes 3 seeds to say who is better."
    );
    // Unless every seed of every problem is near.
    let near = [3.03, 3.1, 2.92, 3.02];
    let told = answer(&suite(&[&near, &BETTER.map(|value| value + 1.0), &near]));
    assert!(
        told.starts_with("On your 3 problems, koala-a (untuned) is within 2 % of tuned adamw: "),
        "{told}"
    );
}

#[test]
fn of_many_problems_the_interval_of_the_mean_ratio_decides() {
    let told = |results: [&[f64]; 8]| suite(&results).compare().overview;
    let overview = told([&BETTER; 8]);
    assert_eq!(
        overview.answer,
        "On your 8 problems, koala-a (untuned) is better overall than tuned adamw: better on all of them."
    );
    assert!(
        overview.grounds.starts_with(
            "Overall its test error is 0.668 times as large (geometric mean; 95 % interval 0."
        ),
        "{}",
        overview.grounds
    );
    assert!(
        overview
            .grounds
            .ends_with("Adjusted for 8 comparisons: better on 8."),
        "{}",
        overview.grounds
    );
    let worse = WORSE.map(|value| value * 1.5);
    let told_worse = told([&worse; 8]).answer;
    assert!(
        told_worse.contains("is worse overall than tuned adamw: worse on all of them"),
        "{told_worse}"
    );
    let mixed = told([
        &worse, &BETTER, &worse, &BETTER, &worse, &BETTER, &LIKE, &LIKE,
    ])
    .answer;
    assert_eq!(
        mixed,
        "On your 8 problems, koala-a (untuned) is too close to tuned adamw to call overall: better on 3, worse on 3 and undecided \
         on 2."
    );
    let near = told([&WORSE.map(|value| value * 1.012); 8]).answer;
    assert!(near.contains("is within 2 % of tuned adamw"), "{near}");
}

#[test]
fn who_fails_is_told_first() {
    let mut failing = suite(&[&BETTER]);
    failing.workload("w1", Measure::Error, None);
    for seed in 0..4 {
        failing.run(
            "koala-a",
            seed,
            Role::Defaults,
            Outcome::Failed("the loss is not finite", &[]),
        );
    }
    failing.arm("adamw", &Role::Tuned, 1.0, &WORSE);
    assert_eq!(
        answer(&failing),
        "On your 2 problems, koala-a (untuned) fails on 1 of them (w1); it is better than tuned adamw on 1."
    );
    // The other way round: that is an answer too.
    let mut spared = suite(&[]);
    for workload in ["w0", "w1"] {
        spared.workload(workload, Measure::Error, None);
        spared.arm("koala-a", &Role::Defaults, 1.0, &BETTER);
        for seed in 0..4 {
            spared.run(
                "adamw",
                seed,
                Role::Tuned,
                Outcome::Failed("the loss is not finite", &[]),
            );
        }
    }
    let comparison = spared.compare();
    assert_eq!(
        comparison.overview.answer,
        "On your 2 problems, koala-a (untuned) comes to its end on all where tuned adamw fails."
    );
    assert_eq!(
        comparison.verdict[0].text,
        "adamw (tuned) failed every time on w0 and w1, where koala-a came to the end with every seed."
    );
    let [duel] = comparison.overview.duels.as_slice() else {
        panic!()
    };
    assert_eq!(
        duel.better,
        Verdicts {
            all: 2,
            adjusted: 2
        }
    );
    let mut one = Suite::new(&[0]);
    one.listing.reference = Some("adamw".to_owned());
    one.workload("w0", Measure::Error, None);
    one.arm("koala-a", &Role::Defaults, 1.0, &[1.0]);
    one.run(
        "adamw",
        0,
        Role::Defaults,
        Outcome::Failed("the loss is not finite", &[]),
    );
    assert_eq!(
        answer(&one),
        "On w0, koala-a (untuned) comes to its end, and adamw (untuned) fails."
    );
}

#[test]
fn without_a_reference_the_best_baseline_is_one_and_without_baselines_the_lowest_mean() {
    let mut suite = suite(&[&BETTER]);
    suite.listing.reference = None;
    let comparison = suite.compare();
    assert_eq!(comparison.reference, None);
    assert_eq!(
        comparison.overview.answer,
        "On w0, koala-a (untuned) is better than tuned adamw (the best baseline)."
    );
    let lowest = |arms: &[&str], workloads: usize| {
        let mut suite = Suite::new(&[0]);
        for at in 0..workloads {
            suite.workload(&format!("w{at}"), Measure::Error, None);
            for (rank, arm) in arms.iter().enumerate() {
                suite.arm(
                    arm,
                    &Role::Defaults,
                    1.0,
                    &[1.0 + ((rank + at) % arms.len()) as f64],
                );
            }
        }
        answer(&suite)
    };
    assert_eq!(
        lowest(&["koala-a"], 1),
        "On w0, koala-a (untuned) has a mean test error of 1.00 %: there is nothing to compare it with."
    );
    assert_eq!(
        lowest(&["koala-a"], 3),
        "koala-a (untuned) alone, on 3 problems: there is nothing to compare it with."
    );
    assert_eq!(
        lowest(&["koala-a", "koala-m"], 1),
        "On w0, koala-a (untuned) has the lowest mean test error of 2 optimizers; who can be told from whom stands below."
    );
    assert_eq!(
        lowest(&["koala-a", "koala-m"], 3),
        "Lowest mean test result on your 3 problems: koala-a (untuned) on 2 and koala-m (untuned) on 1; who can be told from whom \
         stands below."
    );
    assert_eq!(answer(&Suite::new(&[0])), "No run has come to its end yet.");
    // Without KOALA the first of the others is spoken of.
    assert!(
        lowest(&["sgd", "adamw"], 1)
            .starts_with("On w0, adamw (untuned) stands beside sgd (the best baseline)")
    );
}

/// A workload at `factor` times its length, with koala-a beside tuned adamw.
fn at_length(suite: &mut Suite, workload: &str, factor: f64, koala: &[f64]) {
    suite.workload(&format!("{workload}@{factor}"), Measure::Error, None);
    let of = workload.to_owned();
    suite.listing.workloads.last_mut().unwrap().horizon = Some(Horizon { of, factor });
    suite.arm("koala-a", &Role::Defaults, 1.0, koala);
    suite.arm("adamw", &Role::Tuned, 1.0, &WORSE);
}

#[test]
fn each_length_has_its_line_and_their_own_comes_first() {
    let mut suite = Suite::new(&[0, 1, 2, 3]);
    suite.listing.reference = Some("adamw".to_owned());
    for (factor, koala) in [(2.0, LIKE), (1.0, BETTER)] {
        at_length(&mut suite, "digits", factor, &koala);
    }
    let overview = suite.compare().overview;
    assert_eq!(
        overview.answer,
        "On digits, koala-a (untuned) is better than tuned adamw."
    );
    let mut over_all = overview.over_all.unwrap();
    assert_eq!(over_all.problems(), "the problem at its own length");
    (over_all.workloads, over_all.length) = (12, Some(0.5));
    assert_eq!(
        over_all.problems(),
        "all 12 problems at 0.5 times their length"
    );
    let [other] = overview.at_other_lengths.as_slice() else {
        panic!()
    };
    assert!(other.starts_with("On digits at 2 times its length, koala-a (untuned) is too close to tuned adamw to call. Its"), "{other}");
}

/// Of several problems, who is held against whom is told once.
#[test]
fn other_lengths_say_what_differs_and_name_nobody_again() {
    let mut suite = Suite::new(&[0, 1, 2, 3]);
    suite.listing.reference = Some("adamw".to_owned());
    for (factor, koala) in [(0.5, LIKE), (1.0, BETTER)] {
        for at in 0..6 {
            at_length(&mut suite, &format!("w{at}"), factor, &koala);
        }
    }
    let overview = suite.compare().overview;
    assert_eq!(
        overview.answer,
        "On your 6 problems, koala-a (untuned) is better overall than tuned adamw: better on all of them."
    );
    let [other] = overview.at_other_lengths.as_slice() else {
        panic!()
    };
    // 12.1 / 12.05 = 1.004.
    assert!(
        other.starts_with("At 0.5 times their length: test error 1.004 times as large overall (0.")
            && other.ends_with("), too close to call; undecided on all of them."),
        "{other}"
    );
    assert!(
        !other.contains("adamw") && !other.contains("koala"),
        "{other}"
    );
}

/// Runs of 8 steps, and of 160 whose curves fall to the end.
#[test]
fn runs_that_are_too_short_are_no_verdict() {
    let of = |steps: u64, value: fn(f64) -> f64| {
        let mut suite = Suite::new(&[0, 1, 2]);
        suite.workload("digits", Measure::Error, None);
        for optimizer in ["koala-a", "sgd"] {
            for seed in 0..3 {
                let points = (1..=8).map(|at| (at * steps / 8, value(at as f64 / 8.0)));
                let evaluations: Vec<(u64, f64)> = points.collect();
                let told = Told {
                    evaluations: &evaluations,
                    test: 1.0 + seed as f64,
                    milliseconds: 1.0,
                };
                suite.run(optimizer, seed, Role::Defaults, Outcome::Completed(told));
            }
        }
        let comparison = suite.compare();
        (comparison.overview.answer, comparison.warnings.join(" "))
    };
    let (answer, warnings) = of(8, |_| 1.0);
    assert!(
        answer.ends_with(" After 8 steps that is no verdict."),
        "{answer}"
    );
    assert!(
        warnings.contains("no basis for a verdict: digits (8)"),
        "{warnings}"
    );
    let (answer, warnings) = of(160, |part| 3.0 - 2.0 * part);
    assert!(
        answer.ends_with(" Most curves still fall at the end: more steps may change this."),
        "{answer}"
    );
    // From 1.5 to 1.
    assert!(
        warnings.contains("digits (2 of 2 arms), by up to 33 %"),
        "{warnings}"
    );
    let (answer, warnings) = of(160, |part| 1.0 + (1.0 - part).powi(8));
    assert!(
        !answer.contains("fall") && !warnings.contains("fall"),
        "{answer} {warnings}"
    );
}

fn tuned(sampler: Sampler, values: &[f64], best: usize) -> Comparison {
    let mut suite = Suite::new(&[0]);
    suite.listing.tuning = Some(Tuning {
        trials: values.len(),
        sampler,
        seeds: vec![1000],
        untuned: Vec::new(),
    });
    suite.workload("digits", Measure::Error, None);
    for (trial, rate) in values.iter().enumerate() {
        let values = crate::testing::named(&[("learning-rate", *rate)]);
        // The farther from the best, the worse; of two as far the later one.
        let off = (trial as f64 - best as f64 + 0.1).abs();
        let told = Told {
            evaluations: &[(100, 1.0 + off)],
            test: 1.0,
            milliseconds: 1.0,
        };
        suite.run(
            "adamw",
            1000,
            Role::Trial { trial, values },
            Outcome::Completed(told),
        );
    }
    suite.arm("adamw", &Role::Tuned, 1.0, &[1.0]);
    suite.choose("adamw", Some(best), &[("learning-rate", values[best])]);
    suite.compare()
}

#[test]
fn a_choice_at_the_edge_of_what_was_tried_is_told() {
    let edge = |comparison: &Comparison| comparison.workloads[0].choices[0].values[0].edge;
    let told = |comparison: &Comparison| {
        comparison
            .warnings
            .iter()
            .any(|text| text.contains("may lie beyond"))
    };
    for (best, expected) in [(0, Some(Edge::Least)), (1, None), (3, Some(Edge::Largest))] {
        let comparison = tuned(Sampler::Grid, &[0.001, 0.01, 0.1, 1.0], best);
        assert_eq!(edge(&comparison), expected);
        assert_eq!(told(&comparison), expected.is_some());
    }
    let comparison = tuned(Sampler::Grid, &[0.001, 0.01, 0.1, 1.0], 3);
    let warning = "Tuning chose the largest learning-rate that was tried of adamw on digits (1): the best may lie beyond. Give it a \
         wider space.";
    assert!(
        comparison.warnings.iter().any(|text| text == warning),
        "{:?}",
        comparison.warnings
    );
    let text = crate::text::choices(&comparison).unwrap();
    insta::assert_snapshot!("choices", text);
    // Two values have no middle.
    assert_eq!(edge(&tuned(Sampler::Grid, &[0.1, 1.0], 1)), None);
    // Of points that fill a space the next best has to lie on that side too: here it is the second, and the largest of all.
    assert_eq!(
        edge(&tuned(Sampler::Halton, &[0.001, 1.0, 0.1, 0.01], 0)),
        None
    );
    assert_eq!(
        edge(&tuned(Sampler::Halton, &[0.001, 0.01, 0.1, 1.0], 0)),
        Some(Edge::Least)
    );
}

#[test]
fn every_pair_of_the_field_is_counted() {
    let mut suite = suite(&[&BETTER, &LIKE]);
    suite.arm("adamw", &Role::Defaults, 1.0, &[9.0, 9.1, 9.0, 9.2]);
    let overview = suite.compare().overview;
    // Each optimizer once: AdamW tuned.
    let field: Vec<String> = overview
        .field
        .iter()
        .map(|entrant| entrant.words())
        .collect();
    assert_eq!(field, ["koala-a (untuned)", "adamw (tuned)"]);
    let [duel] = overview.duels.as_slice() else {
        panic!()
    };
    assert_eq!(
        (
            duel.better.all,
            duel.worse.all,
            duel.undecided,
            duel.unknown
        ),
        (1, 0, 1, 0)
    );
}
