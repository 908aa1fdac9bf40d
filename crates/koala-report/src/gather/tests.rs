//! What is made of folders, by kind and number.

use std::path::PathBuf;

use super::gather;
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
