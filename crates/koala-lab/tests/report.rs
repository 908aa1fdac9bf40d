//! `koala report`, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use common::{json, koala, stderr, stdout, text};
use tempfile::tempdir;

const FILES: [&str; 5] = [
    "arms.csv",
    "report.html",
    "report.md",
    "report.tex",
    "runs.csv",
];

fn compare(here: &Path, recipe: &str, out: &str) {
    koala(here)
        .args(["compare", "--quiet", recipe, "--max-steps=6"])
        .args(["--optimizers=koala-v,sgd", "--seeds=1,2", "--out", out])
        .assert()
        .success();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_suite_has_its_report_beside_its_runs() {
    let here = tempdir().unwrap();
    compare(here.path(), "--recipe=digits-mlp", "suite");
    let assert = koala(here.path())
        .args(["report", "suite"])
        .assert()
        .success();
    assert_eq!(stderr(&assert), "");
    let told = stdout(&assert);
    let folder = here.path().join("suite/report");
    assert_eq!(names(&folder), FILES);
    for name in FILES {
        assert!(told.contains(&format!("suite/report/{name}\n")), "{told}");
        assert!(text(&folder.join(name)).contains("koala-v"), "{name}");
    }
    let page = text(&folder.join("report.html"));
    assert!(page.starts_with("<!doctype html>") && page.contains("digits-mlp"));
    // Two optimizers with two seeds, and a line of headings.
    assert_eq!(text(&folder.join("runs.csv")).lines().count(), 5);
    assert_eq!(text(&folder.join("arms.csv")).lines().count(), 3);

    // Again, it is the same; the report is no run, and the suite is still whole.
    koala(here.path())
        .args(["report", "suite", "--quiet"])
        .assert()
        .success()
        .stdout("");
    assert_eq!(text(&folder.join("report.html")), page);
    compare(here.path(), "--recipe=digits-mlp", "suite");
}

#[test]
fn some_formats_of_several_folders_go_where_one_wants_them() {
    let here = tempdir().unwrap();
    compare(here.path(), "--recipe=digits-mlp", "one");
    compare(here.path(), "--batch-size=16", "other");
    let assert = koala(here.path())
        .args(["report", "one", "other", "--json"])
        .args(["--formats=csv,markdown,csv", "--out=deep/inside"])
        .assert()
        .success();
    assert_eq!(
        names(&here.path().join("deep/inside")),
        ["arms.csv", "report.md", "runs.csv"]
    );
    let told = json(&assert);
    assert_eq!(told["files"].as_array().unwrap().len(), 3);
    let workloads = told["comparison"]["workloads"].as_array().unwrap();
    assert_eq!(workloads.len(), 2);
    assert_eq!(workloads[0]["arms"].as_array().unwrap().len(), 2);

    let run = fs::read_dir(here.path().join("one/runs")).unwrap().next();
    let run = run.unwrap().unwrap().path();
    koala(&run).args(["report", "."]).assert().success();
    assert_eq!(names(&run.join("report")), FILES);
}

/// Every figure of the page, each a file that stands alone.
#[test]
fn figures_are_files() {
    let here = tempdir().unwrap();
    compare(here.path(), "--recipe=digits-mlp", "suite");
    let assert = koala(here.path())
        .args(["report", "suite", "--formats=svg,markdown"])
        .assert()
        .success();
    let told = stdout(&assert);
    assert!(told.starts_with("On "), "{told}");
    assert!(
        told.contains("suite/report/figures (") && told.contains("report.md"),
        "{told}"
    );
    let folder = here.path().join("suite/report/figures");
    let figures = names(&folder);
    assert!(figures.len() >= 6, "{figures:?}");
    for name in &figures {
        let svg = text(&folder.join(name));
        assert!(
            svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"),
            "{name}"
        );
        // Few programs but browsers know variables of a style.
        assert!(
            !svg.contains("var(") && !svg.contains("NaN") && !svg.contains("href"),
            "{name}"
        );
    }
    assert!(
        figures
            .iter()
            .any(|name| name.contains("validation-error-over-steps")),
        "{figures:?}"
    );
}

/// Seeds 1 and 2 here, 3 and 4 there are one problem with four seeds; other steps are another problem.
#[test]
fn shards_of_a_suite_are_one_problem() {
    let here = tempdir().unwrap();
    let shard = |out: &str, seeds: &str, steps: &str| {
        koala(here.path())
            .args([
                "compare",
                "--quiet",
                "--recipe=digits-mlp",
                steps,
                "--optimizers=koala-v,sgd",
                seeds,
                "--out",
                out,
            ])
            .assert()
            .success();
    };
    shard("one", "--seeds=1,2", "--max-steps=6");
    shard("two", "--seeds=3,4", "--max-steps=6");
    shard("three", "--seeds=3,4", "--max-steps=7");
    let seen = |folders: [&str; 2]| {
        let assert = koala(here.path())
            .arg("report")
            .args(folders)
            .args(["--json", "--formats=csv"])
            .assert()
            .success();
        let told = json(&assert)["comparison"].clone();
        let workloads = told["workloads"].as_array().unwrap().clone();
        let runs: Vec<usize> = workloads
            .iter()
            .map(|workload| workload["arms"][0]["runs"].as_array().unwrap().len())
            .collect();
        (runs, told["warnings"].to_string())
    };
    assert_eq!(seen(["one", "two"]).0, [4]);
    let (runs, warnings) = seen(["one", "three"]);
    assert_eq!(runs, [2, 2]);
    assert!(warnings.contains("max-steps (6 and 7)"), "{warnings}");
}

#[test]
fn what_cannot_be_reported_is_told_and_nothing_is_written() {
    let here = tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let assert = koala(here.path())
            .arg("report")
            .args(arguments)
            .assert()
            .failure();
        assert_eq!(stdout(&assert), "");
        stderr(&assert)
    };
    assert!(refused(&["nowhere"]).contains("nowhere"));
    assert!(refused(&["."]).contains("koala train"));
    assert!(refused(&[]).contains("FOLDER"));
    assert!(refused(&[".", "--formats=pdf"]).contains("latex"));
    fs::write(here.path().join("suite.json"), "{\"format\": 9}").unwrap();
    assert!(refused(&["."]).contains("format 9"));
    assert_eq!(names(here.path()), ["suite.json"]);
    fs::remove_file(here.path().join("suite.json")).unwrap();

    compare(here.path(), "--recipe=digits-mlp", "suite");
    fs::write(here.path().join("file"), "").unwrap();
    let told = refused(&["suite", "--out=file/inside"]);
    assert!(
        told.contains("file/inside") && told.contains("folder"),
        "{told}"
    );
    assert!(!here.path().join("suite/report").exists());
}

#[test]
fn each_optimizer_that_is_known_has_a_colour_of_its_own() {
    let known = koala_train::optimizers::OptimizerSpec::NAMES.len();
    assert!(known <= koala_report::page::HUES, "{known} optimizers");
}
