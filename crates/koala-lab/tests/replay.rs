//! `koala replay` as it is typed.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;

fn koala() -> Command {
    let mut command = Command::cargo_bin("koala").unwrap();
    command.arg("replay").current_dir(fixtures());
    command
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/trajectories")
}

const ALL: [&str; 7] = [
    "koala-m.safetensors",
    "koala-m-f32.safetensors",
    "koala-m-missing.safetensors",
    "koala-pp.safetensors",
    "koala-v.safetensors",
    "koala-v-decay.safetensors",
    "koala-v-f32.safetensors",
];

/// A copy of a recording with one byte of a number changed.
fn changed() -> tempfile::NamedTempFile {
    let mut bytes = std::fs::read(fixtures().join(ALL[0])).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn every_recording_holds_one_line_a_file() {
    let output = koala().args(ALL).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), ALL.len());
    for (line, file) in lines.iter().zip(ALL) {
        assert!(line.starts_with(&format!("{file}: ok: ")), "{line}");
        assert!(line.contains("(step "), "{line}");
    }
    assert!(output.stderr.is_empty());
}

#[test]
fn json_is_one_object_a_file() {
    let output = koala()
        .arg("--json")
        .args([ALL[0], "missing"])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let records: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["holds"], true);
    assert!(records[0]["worst"]["relative"].as_f64().unwrap() < 1e-12);
    assert_eq!(records[1]["holds"], false);
    let error = records[1]["error"].as_str().unwrap();
    assert!(error.contains("missing"), "{error}");
}

#[test]
fn quiet_says_nothing_of_what_holds() {
    koala()
        .arg("--quiet")
        .args(ALL)
        .assert()
        .success()
        .stdout("")
        .stderr("");
    let file = changed();
    koala()
        .arg("--quiet")
        .arg(file.path())
        .assert()
        .code(1)
        .stdout("")
        .stderr(predicate::str::contains("FAILED"));
}

#[test]
fn a_recording_that_does_not_hold_exits_with_1_and_says_where() {
    let file = changed();
    koala()
        .arg(file.path())
        .arg(ALL[4])
        .assert()
        .code(1)
        .stdout(
            predicate::str::contains("FAILED")
                .and(predicate::str::contains("koala-v.safetensors: ok")),
        );
}

#[test]
fn a_file_in_error_does_not_stop_the_others() {
    koala()
        .args(["no-such-file", ".", "FORMAT.md", ALL[4]])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("koala-v.safetensors: ok"))
        .stderr(
            predicate::str::contains("no-such-file: cannot be read")
                .and(predicate::str::contains(".: cannot be read"))
                .and(predicate::str::contains(
                    "FORMAT.md: not a whole safetensors file",
                )),
        );
}

#[test]
fn without_a_file_it_is_wrong_usage() {
    koala()
        .assert()
        .code(2)
        .stderr(predicate::str::contains("<FILE>"));
    koala()
        .args(["--jsno", ALL[0]])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--jsno"));
}
