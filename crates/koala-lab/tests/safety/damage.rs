//! Files that numbers come from are what was written, or are named.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::common::{checkpoints, json, koala, stderr, stdout, text};

/// Changes one bit in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// A run that is judged by held-out samples and so tests the weights of its best evaluation, which are not its last.
fn train(folder: &Path) {
    koala(folder)
        .args([
            "train",
            "--quiet",
            "--out=run",
            "--max-steps=40",
            "--evaluate-every=5",
        ])
        .args([
            "--validation=300",
            "--checkpoint-every=5",
            "--optimizer=sgd",
            "--lr=2",
        ])
        .assert()
        .success();
}

#[test]
fn a_finished_run_with_a_damaged_file_is_not_believed() {
    for name in [
        "best.safetensors",
        "model.safetensors",
        "result.json",
        "events.jsonl",
        "config.toml",
        "manifest.json",
    ] {
        let here = tempdir().unwrap();
        train(here.path());
        let file = here.path().join("run").join(name);
        if name.ends_with("json") || name.ends_with("toml") || name.ends_with("jsonl") {
            // The same to every reader, and not what was written.
            let changed = text(&file).replacen('0', "1", 1);
            assert_ne!(changed, text(&file), "{name}");
            fs::write(&file, changed).unwrap();
        } else {
            flip(&file);
        }
        for command in [
            &["report", "run"][..],
            &["watch", "run", "--once"],
            &["train", "--resume=run"],
            &["check", "run"],
        ] {
            let refused = koala(here.path()).args(command).assert().code(1);
            let told = stderr(&refused) + &stdout(&refused);
            assert!(told.contains(name), "{name}, {command:?}: {told}");
        }
    }
    let here = tempdir().unwrap();
    train(here.path());
    fs::remove_file(here.path().join("run/best.safetensors")).unwrap();
    let refused = koala(here.path()).args(["report", "run"]).assert().code(1);
    assert!(
        stderr(&refused).contains("best.safetensors: is missing"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn what_is_damaged_while_a_run_is_stopped_gives_no_number_when_it_goes_on() {
    for how in ["flipped", "torn", "deleted"] {
        let here = tempdir().unwrap();
        train(here.path());
        let run = here.path().join("run");
        let best: serde_json::Value =
            serde_json::from_str(&text(&run.join("result.json"))).unwrap();
        assert!(best["best_test_error"].is_f64());
        // As if it had been killed at its end.
        fs::remove_file(run.join("result.json")).unwrap();
        assert_eq!(checkpoints(&run).len(), 2);
        let file = run.join("best.safetensors");
        match how {
            "flipped" => flip(&file),
            "torn" => fs::write(&file, &fs::read(&file).unwrap()[..100]).unwrap(),
            _ => fs::remove_file(&file).unwrap(),
        }
        let refused = koala(here.path())
            .args(["train", "--resume=run", "--quiet"])
            .assert()
            .code(1);
        assert!(
            stderr(&refused).contains("run/best.safetensors: "),
            "{how}: {}",
            stderr(&refused)
        );
        assert!(!run.join("result.json").exists(), "{how}");
    }
}

#[test]
fn a_damaged_run_of_a_suite_is_marked_and_the_rest_goes_on() {
    let here = tempdir().unwrap();
    let compare = |epochs: &str, seeds: &str| {
        let mut command = koala(here.path());
        command.args([
            "compare",
            "--optimizers=sgd,adam",
            "--validation=300",
            "--out=suite",
            epochs,
            seeds,
        ]);
        command
    };
    compare("--epochs=1", "--seeds=1,2").assert().success();
    let suite = here.path().join("suite");
    let listing: serde_json::Value =
        serde_json::from_str(&text(&suite.join("suite.json"))).unwrap();
    let folder = |at: usize| listing["runs"][at]["folder"].as_str().unwrap().to_owned();
    flip(&suite.join(folder(0)).join("model.safetensors"));
    // One that was stopped, all of whose checkpoints are torn.
    let stopped = suite.join(folder(1));
    fs::remove_file(stopped.join("result.json")).unwrap();
    for checkpoint in checkpoints(&stopped) {
        fs::write(checkpoint.join("manifest.json"), "{").unwrap();
    }
    let told = compare("--epochs=1", "--seeds=1,2,3").assert().code(1);
    for (at, name) in [(0, "model.safetensors"), (1, "manifest.json")] {
        let told = stderr(&told);
        assert!(told.contains(&folder(at)) && told.contains(name), "{told}");
    }
    // The third seed's runs are done.
    let done = koala(here.path())
        .args(["report", "suite", "--json"])
        .assert()
        .success();
    let warnings = json(&done)["comparison"]["warnings"].to_string();
    assert!(
        warnings.contains("A run is left out") && warnings.contains("model.safetensors"),
        "{warnings}"
    );
    let states: Vec<String> = json(&done)["comparison"]["workloads"][0]["arms"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|arm| arm["runs"].as_array().unwrap())
        .map(|run| run["state"].to_string())
        .collect();
    assert_eq!(
        states
            .iter()
            .filter(|state| state.contains("completed"))
            .count(),
        4,
        "{states:?}"
    );
}

#[test]
fn one_run_of_several_that_is_damaged_does_not_take_the_others_away() {
    let here = tempdir().unwrap();
    for seed in ["--seed=1", "--seed=2"] {
        let out = format!("--out=all/{seed}");
        koala(here.path())
            .args(["train", "--quiet", "--max-steps=5", seed, &out])
            .assert()
            .success();
    }
    flip(&here.path().join("all/--seed=2/model.safetensors"));
    let told = json(
        &koala(here.path())
            .args(["report", "all", "--json"])
            .assert()
            .success(),
    );
    let warnings = told["comparison"]["warnings"].to_string();
    assert!(
        warnings.contains("A run is left out") && warnings.contains("--seed=2"),
        "{warnings}"
    );
    assert_eq!(
        told["comparison"]["workloads"][0]["arms"][0]["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
