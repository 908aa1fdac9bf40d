//! `koala compare`, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{json, koala, stderr, stdout};
use tempfile::tempdir;

#[test]
fn all_optimizers_in_a_table() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args([
            "compare",
            "--epochs",
            "5",
            "--seeds",
            "1,2",
            "--target-loss",
            "0.5",
        ])
        .assert()
        .success();
    assert_eq!(stderr(&assert), "");
    let table = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let names: Vec<&str> = table
        .lines()
        .skip(2)
        .map(|l| l.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(names, ["koala-m", "koala-v", "koala-pp", "sgd", "adam"]);
    assert!(table.lines().nth(1).unwrap().contains("steps to loss 0.5"));
    assert_eq!(
        std::fs::read_dir(here.path()).unwrap().count(),
        0,
        "nothing is kept unasked"
    );
}

#[test]
fn json_and_a_target_that_is_never_reached() {
    let here = tempdir().unwrap();
    let arguments = [
        "compare",
        "--optimizers",
        "sgd,adamw",
        "--seeds",
        "3",
        "--epochs",
        "2",
        "--target-loss",
        "0",
    ];
    let assert = koala(here.path())
        .args(arguments)
        .args(["--json", "--out", "all"])
        .assert()
        .success();
    let report = json(&assert);
    assert_eq!(report["rows"].as_array().unwrap().len(), 2);
    assert_eq!(report["rows"][1]["optimizer"], "adamw");
    assert_eq!(report["rows"][1]["n"], 1);
    assert_eq!(report["rows"][1]["reached_target"], 0);
    assert!(report["rows"][1]["steps_to_target"].is_null());
    assert!(
        here.path()
            .join("all/adamw-seed3/model.safetensors")
            .is_file()
    );
    assert!(here.path().join("all/comparison.json").is_file());

    koala(here.path())
        .args(arguments)
        .args(["--out", "all"])
        .assert()
        .code(1);
    let table = stdout(&koala(here.path()).args(arguments).assert().success());
    assert_eq!(table.matches("never").count(), 2, "{table}");
}

#[test]
fn a_folder_in_the_way_is_left_alone() {
    let here = tempdir().unwrap();
    std::fs::create_dir_all(here.path().join("all/x")).unwrap();
    let assert = koala(here.path())
        .args([
            "compare",
            "--optimizers",
            "sgd",
            "--epochs",
            "1",
            "--out",
            "all",
        ])
        .assert()
        .code(1);
    assert!(stderr(&assert).contains("all: the folder already holds files"));
}

#[test]
fn wrong_usage_names_the_flag() {
    let here = tempdir().unwrap();
    for (arguments, named) in [
        (&["--optimizers", "sgd,lion"][..], "lion"),
        (&["--seeds", "-1"], "--seeds"),
        (&["--schedule", "milestones"], "--milestones"),
        (&["--channels", "8"], "--channels"),
    ] {
        let assert = koala(here.path())
            .arg("compare")
            .args(arguments)
            .assert()
            .code(2);
        assert!(stderr(&assert).contains(named), "{}", stderr(&assert));
    }
}
