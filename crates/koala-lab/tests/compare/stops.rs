//! Comparisons that are stopped go on to the same bits.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::runs::weights;
use crate::common::{koala, koala_for_signals};

const SUITE: &str = r#"
    name = "slow"
    seeds = [0, 1]
    optimizers = ["koala-m", "adam"]
    [[workload]]
    name = "digits"
    [workload.set]
    epochs = 20
    checkpoint-every = 20
    model = { name = "cnn", channels = [4, 4], hidden = [8] }
    [tuning]
    trials = 1
"#;

fn start(folder: &Path) -> Child {
    koala_for_signals()
        .current_dir(folder)
        .args(["compare", "slow.toml", "--out=all", "--jobs=2", "--quiet"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until some run has told of a step and is far from its end: on a busy machine a share of the time says little.
fn wait_for_work(folder: &Path, patience: Duration) {
    let begun = Instant::now();
    while !has_run_at_work(&folder.join("all/runs")) && begun.elapsed() < patience {
        sleep(Duration::from_millis(2));
    }
}

fn has_run_at_work(runs: &Path) -> bool {
    let Ok(runs) = fs::read_dir(runs) else {
        return false;
    };
    runs.map(|entry| entry.unwrap().path()).any(|run| {
        let log = fs::read_to_string(run.join("events.jsonl")).unwrap_or_default();
        // Of 400 and more.
        (3..100).contains(&log.lines().count()) && !run.join("result.json").exists()
    })
}

fn undisturbed() -> (tempfile::TempDir, Duration) {
    let here = tempdir().unwrap();
    fs::write(here.path().join("slow.toml"), SUITE).unwrap();
    let begun = Instant::now();
    let status = start(here.path()).wait().unwrap();
    assert!(status.success());
    (here, begun.elapsed())
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bits() {
    let (whole, time) = undisturbed();
    let here = tempdir().unwrap();
    fs::write(here.path().join("slow.toml"), SUITE).unwrap();
    let mut kills = 0;
    // Later and later, so that some kill hits a run in its middle and the whole comes to its end.
    loop {
        let mut child = start(here.path());
        if kills < 2 {
            wait_for_work(here.path(), time.mul_f64(20.0));
        } else {
            sleep(time.mul_f64(0.1 * f64::from(kills)));
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 50);
    }
    assert!(kills >= 2, "{kills} kills in {time:?}");
    let [expected, found] = [&whole, &here].map(|folder| weights(&folder.path().join("all")));
    assert_eq!(
        expected.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    assert!(expected == found);
}

#[test]
fn an_interrupt_makes_checkpoints_and_the_same_command_goes_on() {
    let (whole, time) = undisturbed();
    let here = tempdir().unwrap();
    fs::write(here.path().join("slow.toml"), SUITE).unwrap();
    let mut child = start(here.path());
    wait_for_work(here.path(), time.mul_f64(20.0));
    let status = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let unfinished = fs::read_dir(here.path().join("all/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|run| {
            let result = fs::read_to_string(run.join("result.json")).unwrap_or_default();
            result.contains("\"interrupted\"")
        });
    let unfinished: Vec<_> = unfinished.collect();
    assert!(!unfinished.is_empty(), "nothing was at work");
    for run in unfinished {
        let result = fs::read_to_string(run.join("result.json")).unwrap();
        // One that was stopped before its first step begins anew.
        assert!(run.join("checkpoints").is_dir() || result.contains("\"steps\": 0,"));
    }
    koala(here.path())
        .args(["compare", "slow.toml", "--out=all"])
        .assert()
        .success();
    assert!(
        weights(&whole.path().join("all")) == weights(&here.path().join("all")),
        "other bits"
    );
}
