//! They are compared on, reported and watched.

use std::fs;
use std::path::{Path, PathBuf};

use super::common::{json, koala, stderr, stdout, text};
use super::{KINDS, made, train};

const SUITE: &str = r#"
name = "own"
seeds = [0, 1]
optimizers = ["koala-a", "adam"]

[[workload]]
name = "animals"
[workload.set]
epochs = 3
[workload.set.dataset]
name = "table"
file = "animals.csv"
label = "animal"
ignore = ["leaves_g"]

[[workload]]
name = "leaves"
[workload.set]
epochs = 3
[workload.set.dataset]
name = "table"
file = "animals.csv"
label = "leaves_g"

[[workload]]
name = "spots"
[workload.set]
epochs = 2
[workload.set.dataset]
name = "images"
data-dir = "photos"
image-size = 12
"#;

fn run(here: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    koala(here).args(arguments).assert()
}

#[test]
fn a_suite_compares_on_them_and_each_has_its_measure() {
    let here = made();
    fs::write(here.path().join("own.toml"), SUITE).unwrap();
    let told = run(here.path(), &["compare", "own.toml", "--json"]).success();
    let found = json(&told);
    let measures: Vec<_> = found["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["measure"].clone())
        .collect();
    assert_eq!(measures, ["error", "squared-error", "error"]);
    let warned = stderr(&told);
    assert!(
        warned.contains(
            "warning: workload animals: the validation part has 19 samples: an error rate"
        ),
        "{warned}"
    );
    assert!(
        warned.contains(
            "warning: workload leaves: the test part has 48 samples: a mean squared error"
        ),
        "{warned}"
    );
    // A tenth is held out, drawn from each class.
    let config = text(&first_run(here.path()).join("config.toml"));
    assert!(config.contains("validation = 19\n"), "{config}");
    let all = found["warnings"].to_string();
    assert!(
        all.contains("On spots: the test part has 24 samples"),
        "{all}"
    );

    run(here.path(), &["report", "comparisons/own"]).success();
    let report = text(&here.path().join("comparisons/own/report/report.md"));
    assert!(report.contains("## animals: mlp on table"), "{report}");
    assert!(
        report.contains("squared error in squared units") && report.contains("error in %"),
        "{report}"
    );
    assert!(
        report.contains("On leaves: the test part has 48 samples"),
        "{report}"
    );

    // Done once, and on the same file only.
    let again = run(here.path(), &["compare", "own.toml"]).success();
    assert!(
        stdout(&again).contains("12 runs, 0 of them now"),
        "{}",
        stdout(&again)
    );
    let rows = text(&here.path().join("animals.csv"));
    fs::write(
        here.path().join("animals.csv"),
        rows.replacen("koala", "dingo", 1),
    )
    .unwrap();
    let refused = stderr(&run(here.path(), &["compare", "own.toml"]).code(1));
    assert!(
        refused.contains(": its data have changed since it was begun"),
        "{refused}"
    );
}

fn first_run(here: &Path) -> PathBuf {
    first_run_in(&here.join("comparisons/own"))
}

fn first_run_in(suite: &Path) -> PathBuf {
    let listing: serde_json::Value =
        serde_json::from_str(&text(&suite.join("suite.json"))).unwrap();
    suite.join(listing["runs"][0]["folder"].as_str().unwrap())
}

#[test]
fn flags_compare_on_them_as_well() {
    let here = made();
    let flags = [
        "compare",
        "--optimizers=koala-m,sgd",
        "--seeds=0",
        "--epochs=1",
        "--quiet",
    ];
    for (kind, name) in KINDS
        .iter()
        .zip(["images-cnn", "idx-cnn", "table-mlp", "table-mlp"])
    {
        let out = format!("found/{}-{}", name, kind.len());
        let mut arguments = flags.to_vec();
        arguments.extend(*kind);
        arguments.extend(["--out", &out]);
        assert_eq!(stderr(&run(here.path(), &arguments).success()), "");
        let listing = text(&here.path().join(out).join("suite.json"));
        assert!(
            listing.contains(&format!("\"name\": \"{name}\"")),
            "{listing}"
        );
    }
}

#[test]
fn loose_runs_of_two_tables_are_two_workloads_and_each_is_watched() {
    let here = made();
    for (kind, out) in KINDS[2..].iter().zip(["runs/a", "runs/b"]) {
        train(here.path(), &[kind, &["--epochs=2", "-q", "--out", out]]).success();
    }
    let found = json(&run(here.path(), &["report", "runs", "--json"]).success());
    let told = |of: &serde_json::Value| (of["name"].clone(), of["measure"].clone());
    let workloads: Vec<_> = found["comparison"]["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(told)
        .collect();
    let expected = [
        ("mlp on table animals.csv (animal)", "error"),
        ("mlp on table animals.csv (leaves_g)", "squared-error"),
    ];
    assert_eq!(
        workloads,
        expected.map(|(name, measure)| (name.into(), measure.into()))
    );
    assert!(
        found["comparison"]["warnings"]
            .to_string()
            .contains("of 240 values are missing")
    );
    // What has no classes has no error in percent.
    for (run_folder, has_error) in [("runs/a", true), ("runs/b", false)] {
        let watched = stdout(&run(here.path(), &["watch", run_folder]).success());
        assert!(
            watched.contains("koala-a on table, mlp, seed 0"),
            "{watched}"
        );
        assert!(watched.contains("test loss"), "{watched}");
        assert_eq!(watched.contains("test error"), has_error, "{watched}");
    }
}

#[test]
fn a_text_that_has_changed_is_another_comparison() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("lines.txt");
    let lines = |word: &str| -> String {
        (0..200)
            .map(|line| format!("line {line} of a {word}\n"))
            .collect()
    };
    fs::write(&file, lines("text")).unwrap();
    let compare = |seeds: &str| {
        let small = [
            "--layers=1",
            "--hidden=8",
            "--max-steps=3",
            "--batch-size=4",
        ];
        let what = [
            "compare",
            "--dataset=text",
            "--file=lines.txt",
            "--optimizers=koala-a",
            seeds,
        ];
        run(
            here.path(),
            &[&what[..], &small, &["--window=8", "--out=both"]].concat(),
        )
    };
    compare("--seeds=0").success();
    let folder = first_run_in(&here.path().join("both"));
    let note = text(&folder.join("data.json"));
    assert!(note.contains(r#""of": "text""#), "{note}");
    run(here.path(), &["check", "both"]).success();
    // As long, and of the same characters.
    fs::write(&file, lines("xett")).unwrap();
    for seeds in ["--seeds=0", "--seeds=0,1,2"] {
        let refused = stderr(&compare(seeds).code(1));
        assert!(
            refused.contains(": its data have changed since it was begun"),
            "{refused}"
        );
    }
    fs::write(&file, lines("text")).unwrap();
    compare("--seeds=0,1,2").success();
}
