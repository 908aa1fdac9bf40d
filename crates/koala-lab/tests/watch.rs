//! `koala watch`, from outside, where the standard output is no terminal.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use common::{json, koala, stderr};
use tempfile::{TempDir, tempdir};

fn train(optimizer: &str, out: &str, here: &Path) {
    let arguments = ["--max-steps", "25", "--validation", "144", "--quiet"];
    koala(here)
        .args(["train", "--optimizer", optimizer, "--out", out])
        .args(arguments)
        .assert()
        .success();
}

fn trained() -> TempDir {
    let here = tempdir().unwrap();
    train("koala-m", "runs/one", here.path());
    here
}

fn watch(here: &Path, arguments: &[&str]) -> Assert {
    koala(here).arg("watch").args(arguments).assert()
}

fn told(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().is_file());
    let mut files: Vec<_> = files
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_pipe_gets_a_text_once_and_nothing_is_changed() {
    let here = trained();
    let before = files(&here.path().join("runs/one"));
    let piped = watch(here.path(), &["runs/one"]).success();
    let text = told(&piped);
    assert!(
        text.starts_with("runs/one\nkoala-m on digits, mlp, seed 0\nfinished\n25 of 25 steps"),
        "{text}"
    );
    for name in [
        "held-out loss",
        "test error",
        "P of velocity",
        "predicted spread",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "no escape codes");
    assert_eq!(
        told(&watch(here.path(), &["runs/one", "--once"]).success()),
        text
    );
    assert_eq!(files(&here.path().join("runs/one")), before);
}

#[test]
fn json_has_what_the_run_came_to() {
    let here = trained();
    let shown = json(&watch(here.path(), &["--json", "runs/one"]).success());
    let result: serde_json::Value =
        serde_json::from_slice(&fs::read(here.path().join("runs/one/result.json")).unwrap())
            .unwrap();
    assert_eq!(shown["state"], "finished");
    assert_eq!(
        (&shown["steps"], &shown["planned_steps"]),
        (&25.into(), &25.into())
    );
    assert_eq!(shown["result"]["test_error"], result["test_error"]);
    assert_eq!(
        (&shown["filter"], &shown["seconds_left"]),
        (&true.into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_run_whose_program_was_killed_is_not_running() {
    let here = trained();
    let run = here.path().join("runs/one");
    fs::remove_file(run.join("result.json")).unwrap();
    // Its last line was being written.
    let log = fs::read(run.join("events.jsonl")).unwrap();
    fs::write(run.join("events.jsonl"), &log[..log.len() - 9]).unwrap();
    let text = told(&watch(here.path(), &["runs/one"]).success());
    assert!(text.contains("\nnot running\n"), "{text}");
    assert!(
        text.contains("go on with: koala train --resume runs/one"),
        "{text}"
    );
    assert!(
        !text.contains("damaged") && !text.contains(" left"),
        "{text}"
    );
}

#[test]
fn a_run_that_is_locked_is_running() {
    let here = trained();
    let run = here.path().join("runs/one");
    fs::remove_file(run.join("result.json")).unwrap();
    let lock = fs::File::create(run.join(".lock")).unwrap();
    lock.lock().unwrap();
    let shown = json(&watch(here.path(), &["--json", "runs/one"]).success());
    assert_eq!(shown["state"], "running");
    assert!(shown["seconds_left"].is_f64());
}

#[test]
fn a_folder_of_runs_is_a_list() {
    let here = trained();
    train("adam", "runs/two", here.path());
    for folder in ["runs", "."] {
        let text = told(&watch(here.path(), &[folder]).success());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("one  finished     test error "), "{text}");
    }
    let list = json(&watch(here.path(), &["--json", "runs"]).success());
    assert_eq!(
        (&list[1]["name"], &list[1]["state"]),
        (&"two".into(), &"finished".into())
    );
    let text = told(&watch(here.path(), &["runs/two"]).success());
    assert!(text.contains("this optimizer has no filter"), "{text}");
}

#[test]
fn what_is_no_run_is_an_error_with_a_remedy() {
    let here = tempdir().unwrap();
    for folder in [".", "nowhere"] {
        let assert = watch(here.path(), &[folder]).code(1);
        let error = stderr(&assert);
        assert!(
            error.contains(
                "it is not the folder of a run; give the folder that `koala train` wrote"
            ),
            "{error}"
        );
        assert_eq!(told(&assert), "");
    }
    watch(here.path(), &[]).code(2);
}
