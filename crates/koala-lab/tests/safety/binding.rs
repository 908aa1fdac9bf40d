//! A checkpoint belongs to its configuration and its data.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::common::{koala, stderr, text};

/// A run that was killed before its end.
fn stopped(folder: &Path, more: &[&str]) {
    koala(folder)
        .args([
            "train",
            "--quiet",
            "--out=run",
            "--max-steps=12",
            "--checkpoint-every=5",
        ])
        .args(more)
        .assert()
        .success();
    fs::remove_file(folder.join("run/result.json")).unwrap();
}

fn edit(folder: &Path, from: &str, to: &str) {
    let file = folder.join("run/config.toml");
    let changed = text(&file).replacen(from, to, 1);
    assert_ne!(changed, text(&file), "{from}");
    fs::write(file, changed).unwrap();
}

#[test]
fn a_key_that_decides_is_named_and_what_may_change_may() {
    for (key, from, to) in [
        ("seed was 0", "seed = 0", "seed = 1"),
        ("batch-size was 64", "batch-size = 64", "batch-size = 32"),
        ("train-limit was 0", "train-limit = 0", "train-limit = 500"),
        ("optimizer.gain was", "gain = ", "gain = 1"),
        (
            "drop-last was false",
            "drop-last = false",
            "drop-last = true",
        ),
    ] {
        let here = tempdir().unwrap();
        stopped(here.path(), &[]);
        edit(here.path(), from, to);
        let refused = koala(here.path())
            .args(["train", "--resume=run", "--quiet"])
            .assert()
            .code(1);
        let told = stderr(&refused);
        assert!(
            told.contains(key) && told.contains("as it was begun"),
            "{key}: {told}"
        );
        assert!(!here.path().join("run/result.json").exists(), "{key}");
        // Set back, it goes on.
        edit(here.path(), to, from);
        koala(here.path())
            .args(["train", "--resume=run", "--quiet"])
            .assert()
            .success();
    }
    let here = tempdir().unwrap();
    stopped(here.path(), &[]);
    for (from, to) in [
        ("max-steps = 12", "max-steps = 20"),
        ("epochs = 20", "epochs = 30"),
        ("log-every = 0", "log-every = 2"),
        ("keep-checkpoints = 2", "keep-checkpoints = 5"),
        ("checkpoint-minutes = 5.0", "checkpoint-minutes = 1.0"),
    ] {
        edit(here.path(), from, to);
    }
    koala(here.path())
        .args(["train", "--resume=run", "--quiet"])
        .assert()
        .success();
    let result: serde_json::Value =
        serde_json::from_str(&text(&here.path().join("run/result.json"))).unwrap();
    assert_eq!(result["steps"], 20);
}

#[test]
fn a_text_that_has_changed_is_refused_and_one_that_has_moved_is_not() {
    let here = tempdir().unwrap();
    let lines: String = (0..300)
        .map(|line| format!("line {line} of a text that goes on\n"))
        .collect();
    fs::write(here.path().join("a.txt"), &lines).unwrap();
    stopped(
        here.path(),
        &[
            "--dataset=text",
            "--file=a.txt",
            "--model=gpt",
            "--width=16",
            "--heads=2",
            "--layers=1",
            "--window=16",
            "--batch-size=4",
        ],
    );
    fs::write(
        here.path().join("a.txt"),
        lines.replacen("line 7", "lime 7", 1),
    )
    .unwrap();
    let refused = || {
        let mut command = koala(here.path());
        stderr(
            &command
                .args(["train", "--resume=run", "--quiet"])
                .assert()
                .code(1),
        )
    };
    let told = refused();
    assert!(told.contains("its data have changed"), "{told}");
    // Runs of texts had no note of them once, but their checkpoints had.
    fs::remove_file(here.path().join("run/data.json")).unwrap();
    let told = refused();
    assert!(
        told.contains("its data (dataset.file) have changed"),
        "{told}"
    );
    fs::write(here.path().join("b.txt"), lines).unwrap();
    edit(here.path(), "a.txt", "b.txt");
    koala(here.path())
        .args(["train", "--resume=run", "--quiet"])
        .assert()
        .success();
}
