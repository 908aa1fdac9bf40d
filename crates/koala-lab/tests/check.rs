//! `koala check`, and what the program says of runs that another one wrote, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use common::{json, koala};
use tempfile::{TempDir, tempdir};

const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/runs");

/// What it wrote, versions and all.
fn said(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// A run of koala-optim.
fn copied(name: &str) -> TempDir {
    let here = tempdir().unwrap();
    let run = here.path().join("run");
    fs::create_dir(&run).unwrap();
    for entry in fs::read_dir(Path::new(RUNS).join(name)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, run.join(path.file_name().unwrap())).unwrap();
    }
    here
}

#[test]
fn what_this_program_writes_is_as_the_format_says() {
    let here = tempdir().unwrap();
    koala(here.path())
        .args(["compare", "--quiet", "--recipe=digits-mlp", "--max-steps=6"])
        .args(["--optimizers=koala-a,sgd", "--seeds=1,2", "--out", "suite"])
        .assert()
        .success();
    let told = koala(here.path())
        .args(["check", "suite"])
        .assert()
        .success();
    assert_eq!(said(&told), "4 runs checked: as the format says\n");
    let told = json(
        &koala(here.path())
            .args(["check", "--json", "suite"])
            .assert()
            .success(),
    );
    assert_eq!((&told["runs"], &told["not_begun"]), (&4.into(), &0.into()));
    assert_eq!(told["faults"], serde_json::json!([]));
}

#[test]
fn what_is_wrong_is_told_with_its_file_and_line() {
    let here = copied("koala-optim");
    let log = here.path().join("run/events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("{\"event\":\"step\"", "{]", 1)).unwrap();
    let told = koala(here.path()).args(["check", "run"]).assert().code(1);
    let told = said(&told);
    assert!(told.starts_with("run/events.jsonl, line 2: "), "{told}");
    assert!(told.ends_with("1 run checked: one fault\n"), "{told}");
}

#[test]
fn runs_of_another_program_are_watched_and_reported() {
    let here = copied("koala-optim");
    let shown = said(&koala(here.path()).args(["watch", "run"]).assert().success());
    assert!(shown.contains("written by koala-optim 0.1.0"), "{shown}");
    assert!(
        shown.contains("finished") && shown.contains("P of position"),
        "{shown}"
    );
    let shown = json(
        &koala(here.path())
            .args(["watch", "--json", "run"])
            .assert()
            .success(),
    );
    assert_eq!(shown["written_by"], "koala-optim 0.1.0");
    koala(here.path())
        .args(["report", "--quiet", "run"])
        .assert()
        .success();
    let report = fs::read_to_string(here.path().join("run/report/report.md")).unwrap();
    assert!(report.contains("written by koala-optim 0.1.0"), "{report}");
    // A run that this program cannot go on with.
    fs::remove_file(here.path().join("run/result.json")).unwrap();
    let shown = said(&koala(here.path()).args(["watch", "run"]).assert().success());
    assert!(
        shown.contains("go on with the program that began it"),
        "{shown}"
    );
    // Its optimizer is another one, and tells no rate.
    let other = copied("koala-optim-adamw");
    let shown = said(
        &koala(other.path())
            .args(["watch", "run"])
            .assert()
            .success(),
    );
    assert!(shown.contains("adamw"), "{shown}");
    assert!(!shown.contains("effective learning rate"), "{shown}");
    koala(here.path())
        .args(["train", "--resume", "run"])
        .assert()
        .code(2);
}
