//! Runs that go on beyond their end, and runs that start from the weights of others.

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use tempfile::tempdir;

use crate::common::{finished, koala, stderr, stdout, text};

fn train(folder: &Path, arguments: &[&str]) -> Assert {
    let mut command = koala(folder);
    command.args(["train", "--quiet"]);
    command.args(arguments).assert()
}

/// Everything that remembers something: momentum and both averages' counts, slow weights, a schedule in epochs, held-out samples.
const KINDS: [&[&str]; 3] = [
    &["--validation=300"],
    &[
        "--optimizer=sgd",
        "--schedule=milestones",
        "--milestones=1,3",
        "--average=swa",
        "--swa-start=2",
        "--lookahead-every=5",
    ],
    &["--optimizer=adam", "--average=ema", "--evaluate-every=9"],
];

#[test]
fn a_run_that_is_made_longer_is_one_that_was_begun_so() {
    for kind in KINDS {
        let here = tempdir().unwrap();
        let of = |out: &str, epochs: &str| {
            let arguments = [&[out, epochs, "--log-every=7"], kind].concat();
            train(here.path(), &arguments).success();
        };
        of("--out=whole", "--epochs=12");
        of("--out=run", "--epochs=2");
        // A number of epochs with more digits makes another first line of the log.
        train(here.path(), &["--resume=run", "--epochs=3"]).success();
        train(here.path(), &["--resume=run", "--epochs=12"]).success();
        let [whole, run] = ["whole", "run"].map(|name| here.path().join(name));
        finished(&run).assert_equal(&finished(&whole), &format!("{kind:?}"));
        let config = |folder: &Path| text(&folder.join("config.toml"));
        assert_eq!(config(&run), config(&whole));
        koala(here.path()).args(["check", "run"]).assert().success();
        let told = koala(here.path())
            .args(["train", "--resume=run"])
            .assert()
            .success();
        assert_eq!(stdout(&told), "run: the run is complete\n");
    }
}

#[test]
fn a_limit_on_steps_can_be_lifted() {
    let here = tempdir().unwrap();
    train(here.path(), &["--out=whole", "--epochs=3"]).success();
    train(here.path(), &["--out=run", "--epochs=3", "--max-steps=25"]).success();
    train(here.path(), &["--resume=run", "--max-steps=0"]).success();
    let weights = |name: &str| fs::read(here.path().join(name).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("whole"));
}

#[test]
fn what_would_have_been_another_run_is_refused_and_nothing_is_changed() {
    let here = tempdir().unwrap();
    let refused = |begun: &[&str], longer: &[&str]| {
        let _ = fs::remove_dir_all(here.path().join("run"));
        let begun = [&["--out=run", "--epochs=2"], begun].concat();
        train(here.path(), &begun).success();
        let files = [
            "config.toml",
            "result.json",
            "events.jsonl",
            "manifest.json",
        ];
        let all = || files.map(|name| text(&here.path().join("run").join(name)));
        let before = all();
        let assert = train(here.path(), &[&["--resume=run"], longer].concat()).code(2);
        assert_eq!(all(), before);
        stderr(&assert)
    };
    for schedule in ["cosine", "warmup-cosine", "wsd"] {
        let told = refused(&[&format!("--schedule={schedule}")], &["--epochs=3"]);
        let expected =
            format!("error: --epochs: the schedule '{schedule}' falls over all steps of a run");
        assert!(
            told.starts_with(&expected) && told.contains("--init-weights"),
            "{told}"
        );
    }
    let told = refused(&["--average=swa"], &["--epochs=8"]);
    assert!(
        told.starts_with("error: --epochs: the average 'swa' begins with"),
        "{told}"
    );
    let told = refused(&[], &["--epochs=1"]);
    assert!(
        told.contains("--epochs: makes 23 steps, and the run has done 46"),
        "{told}"
    );
    let told = refused(&[], &["--log-every=3"]);
    assert!(
        told.contains("--resume: the run is complete after 46 steps"),
        "{told}"
    );
    let told = refused(&[], &["--epochs=3", "--init-weights=run/model.safetensors"]);
    assert!(
        told.contains("so --init-weights cannot be given with it; what may change: ")
            && told.matches("--init-weights").count() == 1,
        "{told}"
    );
    let asked = [
        "compare",
        "--optimizers=sgd",
        "--seeds=0",
        "--epochs=1",
        "--quiet",
    ];
    koala(here.path()).args(asked).assert().success();
    let runs = fs::read_dir(here.path().join("comparisons/digits-mlp/runs")).unwrap();
    let run = runs.map(|entry| entry.unwrap().path()).next().unwrap();
    let assert = train(
        here.path(),
        &[&format!("--resume={}", run.display()), "--epochs=2"],
    )
    .code(2);
    assert!(
        stderr(&assert).contains("is a run of a comparison"),
        "{}",
        stderr(&assert)
    );
}

#[test]
fn a_run_starts_from_the_weights_of_another_and_is_bound_to_them() {
    let here = tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    train(here.path(), &["--out=first", "--epochs=1"]).success();
    fs::copy(at("first/model.safetensors"), at("w.safetensors")).unwrap();
    // A step of no length: what is left are the weights that it started from.
    let still = [
        "--optimizer=sgd",
        "--learning-rate=0",
        "--momentum=0",
        "--max-steps=1",
    ];
    let from = ["--init-weights=w.safetensors", "--seed=5"];
    train(
        here.path(),
        &[&["--out=second"], &still[..], &from[..]].concat(),
    )
    .success();
    let weights = |name: &str| fs::read(at(name).join("model.safetensors")).unwrap();
    assert!(weights("second") == weights("first"));
    let config = text(&at("second/config.toml"));
    assert!(
        config.contains("init-weights = \"w.safetensors\"\ninit-weights-sha256 = \""),
        "{config}"
    );

    // A run is found by them too.
    let listed = || {
        let asked = [
            "compare",
            "--optimizers=sgd",
            "--seeds=0",
            "--dry-run",
            "--init-weights=w.safetensors",
        ];
        let assert = koala(here.path()).args(asked).assert().success();
        let told = stdout(&assert);
        let name = told
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("runs/"));
        name.unwrap().split(' ').next().unwrap().to_owned()
    };
    let one = listed();
    train(here.path(), &["--out=other", "--epochs=1", "--seed=1"]).success();
    fs::copy(at("other/model.safetensors"), at("w.safetensors")).unwrap();
    assert_ne!(listed(), one);

    // Who had the old ones does not take the new ones for them.
    let assert = train(here.path(), &["--config=second/config.toml", "--out=third"]).code(2);
    assert!(
        stderr(&assert).contains("init-weights: w.safetensors has changed since"),
        "{}",
        stderr(&assert)
    );
    fs::remove_file(at("second/result.json")).unwrap();
    fs::remove_dir_all(at("second/checkpoints")).unwrap();
    let assert = train(here.path(), &["--resume=second"]).code(2);
    assert!(
        stderr(&assert).contains("w.safetensors has changed since"),
        "{}",
        stderr(&assert)
    );
}

#[test]
fn weights_of_another_network_are_refused_by_every_name() {
    let here = tempdir().unwrap();
    train(here.path(), &["--out=first", "--epochs=1", "--hidden=8"]).success();
    let refused = |more: &[&str], code: i32| {
        let arguments = [&["--out=second"], more].concat();
        let assert = train(here.path(), &arguments).code(code);
        // Nothing is in the way of the next one.
        let left = fs::read_dir(here.path().join("second")).map_or(0, |entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names.filter(|name| name != ".lock").count()
        });
        assert_eq!(left, 0, "{more:?}");
        stderr(&assert)
    };
    let file = "--init-weights=first/model.safetensors";
    insta::assert_snapshot!(
        ["--hidden=9", "--hidden=8,8", "--model=cnn"]
            .map(|other| refused(&[file, other], 1))
            .concat()
    );
    fs::write(here.path().join("text"), "no weights").unwrap();
    assert!(refused(&["--init-weights=text"], 1).contains("text: is no file of weights"));
    assert!(refused(&["--init-weights=nowhere"], 1).contains("nowhere: cannot read"));
    assert!(
        refused(&[file, "--model=dcgan"], 2).contains("--init-weights: must be left out for dcgan")
    );
    train(
        here.path(),
        &["--out=second", "--epochs=1", "--hidden=8", file],
    )
    .success();
}
