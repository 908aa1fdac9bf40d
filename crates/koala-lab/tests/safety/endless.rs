//! Files that never end, or whose writer never comes, are refused.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::tempdir;

use crate::common::{koala, stderr};

/// A pipe that no one writes into.
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn configurations_recipes_and_suites_are_regular_files_of_some_size() {
    let here = tempdir().unwrap();
    pipe(&here.path().join("pipe.toml"));
    fs::write(here.path().join("large.toml"), "#".repeat(2 << 20)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", here.path().join("zero.toml")).unwrap();
    for (file, cause) in [
        ("pipe.toml", "no regular file"),
        ("zero.toml", "no regular file"),
        ("large.toml", "more than the 1048576 bytes"),
    ] {
        let recipe = format!("./{file}");
        for arguments in [
            ["train", "--config", file],
            ["train", "--recipe", &recipe],
            ["compare", file, "--quiet"],
        ] {
            let told = koala(here.path())
                .args(arguments)
                .timeout(Duration::from_secs(60))
                .assert()
                .code(2);
            assert!(
                stderr(&told).contains(cause),
                "{arguments:?}: {}",
                stderr(&told)
            );
        }
    }
}

#[test]
fn files_of_runs_are_regular_files() {
    for name in [
        "config.toml",
        "result.json",
        "failure.json",
        "events.jsonl",
        "manifest.json",
        ".lock",
        "suite.json",
    ] {
        for endless in [false, true] {
            let here = tempdir().unwrap();
            koala(here.path())
                .args(["train", "--quiet", "--out=run", "--max-steps=3"])
                .assert()
                .success();
            let file = here.path().join("run").join(name);
            let _ = fs::remove_file(&file);
            match endless {
                true => std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
                false => pipe(&file),
            }
            for arguments in [
                &["report", "run"][..],
                &["check", "run"],
                &["watch", "run", "--once"],
                &["train", "--resume=run"],
            ] {
                // That it ends is what counts; what it says is said of each file elsewhere.
                let told = koala(here.path())
                    .args(arguments)
                    .timeout(Duration::from_secs(60))
                    .assert();
                let code = told.get_output().status.code();
                assert!(
                    code.is_some_and(|code| code < 3),
                    "{name}, {arguments:?}: {code:?} {}",
                    stderr(&told)
                );
            }
        }
    }
}
