//! What is made of folders, by kind and number.

use std::path::PathBuf;

use super::{View, gather, gather_as};
use crate::testing::Suite;
use crate::{Measure, Role};

/// Names of workloads, and the test results of their arms' runs.
fn told(paths: &[PathBuf]) -> Vec<(String, Vec<Option<f64>>)> {
    let found = gather(paths).unwrap().comparison.workloads;
    let told = found.into_iter().map(|workload| {
        let runs = workload.arms.iter().flat_map(|arm| &arm.runs);
        (workload.name, runs.map(|run| run.test).collect())
    });
    told.collect()
}

fn suite(name: &str, workload: &str, test: f64) -> Suite {
    let mut suite = Suite::new(&[0, 1]);
    suite.listing.name = name.to_owned();
    suite.workload(workload, Measure::Error, None);
    suite.arm("koala-m", &Role::Defaults, 1.0, &[test, test + 1.0]);
    suite
}

#[test]
fn a_suite_alone_is_what_it_is() {
    let suite = suite("one", "digits", 3.0);
    let gathered = gather(&[suite.folder().to_owned()]).unwrap();
    assert_eq!(gathered.comparison, suite.compare());
    assert_eq!(gathered.root, suite.folder().canonicalize().unwrap());
    let twice = gather(&[suite.folder().to_owned(), suite.folder().join(".")]).unwrap();
    assert_eq!(twice, gathered);
}

#[test]
fn suites_stand_side_by_side_whatever_they_are_called() {
    let (one, other) = (suite("one", "digits", 3.0), suite("other", "clothes", 5.0));
    let both = [one.folder().to_owned(), other.folder().to_owned()];
    let first = ("digits".to_owned(), vec![Some(3.0), Some(4.0)]);
    assert_eq!(
        told(&both),
        [first, ("clothes".to_owned(), vec![Some(5.0), Some(6.0)])]
    );

    let other = suite("other", "digits", 5.0);
    let both = [one.folder().to_owned(), other.folder().to_owned()];
    let names: Vec<String> = told(&both).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["digits of one", "digits of other"]);

    let other = suite("one", "digits", 5.0);
    let both = [one.folder().to_owned(), other.folder().to_owned()];
    let found = told(&both);
    assert_ne!(found[0].0, found[1].0);
    assert_eq!(found[1].1, [Some(5.0), Some(6.0)]);
}

/// A shard: these seeds of two optimizers, each run with what decided it.
fn shard(name: &str, seeds: &[u64], epochs: u32, rate: f64) -> Suite {
    let mut suite = Suite::new(seeds);
    suite.listing.name = name.to_owned();
    suite.workload("digits", Measure::Error, None);
    for seed in seeds {
        for (optimizer, settings) in [
            ("koala-m", "gain = 1.0".to_owned()),
            ("sgd", format!("learning-rate = {rate}")),
        ] {
            let told = crate::testing::Told {
                evaluations: &[(100, 2.0)],
                test: *seed as f64,
                milliseconds: 1.0,
            };
            let outcome = crate::testing::Outcome::Completed(told);
            suite.run(optimizer, *seed, Role::Defaults, outcome);
            let folder = suite.listing.runs.last().unwrap().folder.clone();
            let config = format!(
                "seed = {seed}\nepochs = {epochs}\n[optimizer]\nname = \"{optimizer}\"\n{settings}\n"
            );
            std::fs::write(suite.folder().join(folder).join("config.toml"), config).unwrap();
        }
    }
    suite
}

fn folders(suites: &[&Suite]) -> Vec<PathBuf> {
    suites
        .iter()
        .map(|suite| suite.folder().to_owned())
        .collect()
}

#[test]
fn shards_of_a_suite_are_one_problem() {
    let (one, other) = (
        shard("one", &[0, 1, 2], 5, 0.1),
        shard("other", &[3, 4, 5], 5, 0.1),
    );
    let both = gather(&folders(&[&one, &other])).unwrap().comparison;
    let [workload] = both.workloads.as_slice() else {
        panic!("{:?}", both.workloads)
    };
    assert_eq!((workload.name.as_str(), workload.arms.len()), ("digits", 2));
    let tests: Vec<Option<f64>> = workload.arms[0].runs.iter().map(|run| run.test).collect();
    assert_eq!(tests, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(Some));
    assert_eq!(both.seeds, [0, 1, 2, 3, 4, 5]);
    // A third part with a seed that is there already, and one more.
    let third = shard("third", &[5, 6], 5, 0.1);
    let all = gather(&folders(&[&one, &other, &third]))
        .unwrap()
        .comparison;
    assert_eq!(all.workloads.len(), 1);
    assert_eq!(all.workloads[0].arms[1].runs.len(), 7);
    assert!(
        all.warnings
            .iter()
            .any(|text| text.contains("2 of the runs of 'third' are left out")),
        "{:?}",
        all.warnings
    );
}

#[test]
fn workloads_that_differ_are_two_problems_and_what_differs_is_told() {
    let (one, other) = (
        shard("one", &[0, 1], 5, 0.1),
        shard("other", &[2, 3], 6, 0.1),
    );
    let both = gather(&folders(&[&one, &other])).unwrap().comparison;
    let names: Vec<&str> = both
        .workloads
        .iter()
        .map(|workload| workload.name.as_str())
        .collect();
    assert_eq!(names, ["digits of one", "digits of other"]);
    assert!(
        both.warnings
            .iter()
            .any(|text| text.contains("they differ in epochs (5 and 6)")),
        "{:?}",
        both.warnings
    );
    // A part of the first beside a problem of its own keeps to the first.
    let third = shard("third", &[4], 5, 0.1);
    let all = gather(&folders(&[&one, &other, &third]))
        .unwrap()
        .comparison;
    let runs: Vec<usize> = all
        .workloads
        .iter()
        .map(|workload| workload.arms[0].runs.len())
        .collect();
    assert_eq!(runs, [3, 2]);
}

/// Two configurations of one optimizer are two arms, called by what differs.
#[test]
fn arms_of_one_name_that_differ_are_told_apart() {
    let (one, other) = (
        shard("one", &[0, 1], 5, 0.1),
        shard("other", &[2, 3], 5, 0.5),
    );
    let both = gather(&folders(&[&one, &other])).unwrap().comparison;
    assert_eq!(both.workloads.len(), 1);
    let arms: Vec<(&str, usize)> = both.workloads[0]
        .arms
        .iter()
        .map(|arm| (arm.optimizer.as_str(), arm.runs.len()))
        .collect();
    assert_eq!(
        arms,
        [
            ("koala-m", 4),
            ("sgd (learning-rate 0.1)", 2),
            ("sgd (learning-rate 0.5)", 2)
        ]
    );
}

#[test]
fn loose_runs_stand_beside_a_suite_and_its_own_are_not_counted_twice() {
    let (one, other) = (suite("one", "digits", 3.0), suite("other", "clothes", 5.0));
    let loose = other.folder().join("runs/0001");
    let found = told(&[
        one.folder().to_owned(),
        loose,
        one.folder().join("runs/0000"),
    ]);
    assert_eq!(
        found,
        [
            ("digits".to_owned(), vec![Some(3.0), Some(4.0)]),
            ("mlp on digits".to_owned(), vec![Some(6.0)])
        ]
    );
}

/// A run tells in its log what it is judged by; without it, an error that is told decides.
#[test]
fn loose_runs_are_judged_by_what_their_logs_tell() {
    for (told, expected) in [
        (Some("squared-error"), Measure::SquaredError),
        (Some("loss"), Measure::Loss),
        (None, Measure::Loss),
    ] {
        let mut suite = Suite::new(&[0]);
        suite.workload("rows", Measure::SquaredError, None);
        suite.arm("koala-m", &Role::Defaults, 1.0, &[9e3]);
        let run = suite.folder().join("runs/0000");
        let log = run.join(crate::Log::FILE);
        let text = std::fs::read_to_string(&log).unwrap();
        let measure = told.map_or(String::new(), |told| format!(r#""measure":"{told}","#));
        let text = text.replacen(r#"{"#, &format!("{{{measure}"), 1);
        std::fs::write(&log, text).unwrap();
        let found = gather(&[run]).unwrap().comparison.workloads;
        assert_eq!(found[0].measure, expected, "{told:?}");
        assert_eq!(found[0].arms[0].runs[0].test, Some(9e3));
    }
}

#[test]
fn efforts_that_differ_are_told() {
    let (mut one, other) = (suite("one", "digits", 3.0), suite("other", "clothes", 5.0));
    one.listing.tuning = Some(crate::Tuning {
        trials: 4,
        sampler: crate::Sampler::Halton,
        seeds: vec![1000],
        untuned: Vec::new(),
    });
    one.listing.threads = 2;
    let both = [one.folder().to_owned(), other.folder().to_owned()];
    let comparison = gather(&both).unwrap().comparison;
    // The other was not tuned at all, which is no other effort.
    assert_eq!(comparison.tuning, one.listing.tuning);
    assert!(
        comparison
            .warnings
            .iter()
            .any(|text| text.contains("threads"))
    );
    let mut more = suite("more", "faces", 5.0);
    more.listing.tuning = one.listing.tuning.clone();
    if let Some(tuning) = &mut more.listing.tuning {
        tuning.trials = 9;
    }
    let both = [one.folder().to_owned(), more.folder().to_owned()];
    let comparison = gather(&both).unwrap().comparison;
    assert_eq!(comparison.tuning, None);
    assert!(
        comparison
            .warnings
            .iter()
            .any(|text| text.contains("effort"))
    );
}

#[test]
fn a_reference_may_be_asked_for_over_that_of_the_suites() {
    let named = |name: &str, workload: &str, reference: &str| {
        let mut suite = suite(name, workload, 3.0);
        suite.arm("sgd", &Role::Defaults, 1.0, &[2.0, 2.0]);
        suite.arm("adam", &Role::Defaults, 1.0, &[4.0, 4.0]);
        suite.listing.reference = Some(reference.to_owned());
        suite
    };
    let asked = |name: &str| View {
        reference: Some(name.to_owned()),
    };
    let (one, other) = (
        named("one", "digits", "sgd"),
        named("other", "clothes", "adam"),
    );
    let alone = [one.folder().to_owned()];
    let reference = |paths: &[PathBuf], view: &View| {
        let comparison = gather_as(paths, view).unwrap().comparison;
        let name = comparison.reference.map(|reference| reference.name);
        (name.unwrap_or_default(), comparison.warnings)
    };
    assert_eq!(reference(&alone, &View::default()).0, "sgd");
    assert_eq!(reference(&alone, &asked("adam")).0, "adam");
    // Suites that do not agree name none together.
    let both = [one.folder().to_owned(), other.folder().to_owned()];
    let (name, warnings) = reference(&both, &View::default());
    assert_eq!(name, "");
    assert!(
        warnings
            .iter()
            .any(|told| told.contains("different references"))
    );
    let (name, warnings) = reference(&both, &asked("adam"));
    assert_eq!(name, "adam");
    assert!(
        !warnings
            .iter()
            .any(|told| told.contains("different references"))
    );
    let told = gather_as(&both, &asked("adan")).unwrap_err().to_string();
    assert!(told.contains("did you mean 'adam'?"), "{told}");
    // Runs of no suite are called by what differs, and have their own settings.
    let loose: Vec<PathBuf> = (0..6)
        .map(|at| one.folder().join(format!("runs/{at:04}")))
        .collect();
    let comparison = gather_as(&loose, &asked("sgd")).unwrap().comparison;
    let found = &comparison.reference.unwrap().horizons[0];
    assert_eq!(found.references[0].kind, crate::ArmKind::Own);
    assert_eq!(found.arms.len(), 3);
}
