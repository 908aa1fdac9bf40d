//! Runs that end once held-out samples do not get better.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use common::{finished, koala, stderr, stdout, take_back, text};
use serde_json::{Value, json};
use tempfile::tempdir;

fn train(folder: &Path, arguments: &[&str]) -> Assert {
    koala(folder).arg("train").args(arguments).assert()
}

fn result(folder: &Path) -> Value {
    serde_json::from_str(&text(&folder.join("result.json"))).unwrap()
}

/// Steps of no length: no evaluation is better than the first.
const STILL: [&str; 4] = [
    "--optimizer=sgd",
    "--learning-rate=0",
    "--momentum=0",
    "--validation=300",
];

#[test]
fn it_ends_after_so_many_evaluations_that_are_not_better() {
    let here = tempdir().unwrap();
    let told = train(
        here.path(),
        &[&STILL[..], &["--out=run", "--patience=3"]].concat(),
    )
    .success();
    assert!(
        stdout(&told).contains("ended early: for 3 evaluations no held-out loss below "),
        "{}",
        stdout(&told)
    );
    let run = here.path().join("run");
    let found = result(&run);
    // Of twenty epochs, the one that was the best and three more.
    assert_eq!(
        (&found["epochs"], &found["status"]),
        (&json!(4), &json!("completed"))
    );
    let per_epoch = found["steps"].as_u64().unwrap() / 4;
    let early = &found["early_stop"];
    assert_eq!(
        (&early["patience"], &early["step"]),
        (&json!(3), &json!(per_epoch))
    );
    assert_eq!(early["loss"], found["validation_loss"]);
    let log = text(&run.join("events.jsonl"));
    let end: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&end["event"], &end["early_stop"]), (&json!("end"), early));
    koala(here.path()).args(["check", "run"]).assert().success();

    // Within an epoch too.
    let within = ["--out=within", "--patience=2", "--evaluate-every=3"];
    train(here.path(), &[&STILL[..], &within].concat()).success();
    assert_eq!(result(&here.path().join("within"))["steps"], 9);
    // Whoever gets better to the end is not stopped, and nothing is told.
    let better = [
        "--out=better",
        "--patience=2",
        "--epochs=2",
        "--validation=300",
    ];
    train(here.path(), &better).success();
    assert!(
        result(&here.path().join("better"))
            .get("early_stop")
            .is_none()
    );
}

#[test]
fn a_run_that_goes_on_has_waited_as_long() {
    let here = tempdir().unwrap();
    // Falls and rises: a rate at which the loss goes up and down.
    let begun = [
        "--quiet",
        "--validation=300",
        "--optimizer=sgd",
        "--learning-rate=4",
        "--evaluate-every=4",
        "--log-every=5",
    ];
    let of = |more: &[&str]| train(here.path(), &[&begun[..], more].concat()).success();
    of(&["--out=whole", "--patience=6"]);
    let [whole, run] = ["whole", "run"].map(|name| here.path().join(name));
    assert!(
        result(&whole)["early_stop"]["patience"] == 6,
        "it did not end early"
    );
    let steps = result(&whole)["steps"].as_u64().unwrap();
    assert!(steps > 30, "{steps}");

    // Killed in the middle of waiting, and after its last checkpoint.
    of(&[
        "--out=run",
        "--patience=6",
        "--checkpoint-every=3",
        "--keep-checkpoints=3",
    ]);
    take_back(&run);
    train(here.path(), &["--quiet", "--resume=run"]).success();
    finished(&run).assert_equal(&finished(&whole), "killed while it waited");
    fs::remove_file(run.join("result.json")).unwrap();
    train(here.path(), &["--quiet", "--resume=run"]).success();
    finished(&run).assert_equal(&finished(&whole), "killed at its end");

    // More patience goes on, as if there had been as much from the first.
    of(&["--out=short", "--patience=2"]);
    assert!(
        result(&here.path().join("short"))["steps"]
            .as_u64()
            .unwrap()
            < steps
    );
    train(here.path(), &["--quiet", "--resume=short", "--patience=6"]).success();
    finished(&here.path().join("short")).assert_equal(&finished(&whole), "more patience");
}

#[test]
fn without_held_out_samples_there_is_nothing_to_wait_for() {
    let here = tempdir().unwrap();
    let told = train(here.path(), &["--patience=3"]).code(2);
    assert_eq!(
        stderr(&told),
        "error: --patience: waits for held-out samples to get better, and there are none: hold some out with --validation\n"
    );
    let told = train(
        here.path(),
        &["--patience=3", "--model=dcgan", "--validation=100"],
    )
    .code(2);
    assert!(
        stderr(&told).contains("--patience: must be 0 for dcgan"),
        "{}",
        stderr(&told)
    );
    assert!(!here.path().join("runs").exists());
}
