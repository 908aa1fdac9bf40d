//! `koala train`, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;

use common::{json, koala, stderr, stdout, text};
use predicates::prelude::*;
use tempfile::tempdir;

#[test]
fn the_default_run_keeps_its_folder() {
    let here = tempdir().unwrap();
    let run = || koala(here.path()).arg("train").assert().success();
    let first = run();
    insta::assert_snapshot!(stdout(&first));
    assert_eq!(stderr(&first), "", "no bar when piped");
    run();
    let mut runs: Vec<_> = fs::read_dir(here.path().join("runs"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    runs.sort();
    assert_eq!(runs, ["digits-mlp-koala-a-001", "digits-mlp-koala-a-002"]);
    let folder = here.path().join("runs/digits-mlp-koala-a-001");
    insta::assert_snapshot!("config", text(&folder.join("config.toml")));
    let result: serde_json::Value =
        serde_json::from_str(&text(&folder.join("result.json"))).unwrap();
    assert!(result["test_error"].as_f64().unwrap() < 6.0);
    for key in ["train_loss", "test_loss", "seconds"] {
        assert!(result[key].is_f64(), "{key}");
    }
    assert!(folder.join("model.safetensors").is_file());
    assert!(folder.join("events.jsonl").is_file());
}

#[test]
fn json_is_all_there_is_on_the_standard_output() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args([
            "train",
            "--json",
            "--epochs",
            "2",
            "--optimizer",
            "adam",
            "--seed",
            "4",
        ])
        .assert()
        .success();
    let mut result = json(&assert);
    for samples in ["train", "test"] {
        for number in ["loss", "error", "top5_error"] {
            let slot = &mut result[format!("{samples}_{number}")];
            assert!(slot.is_f64());
            *slot = "measured".into();
        }
    }
    for number in ["loss", "error", "top5_error"] {
        let slot = &mut result["best"]["evaluation"][number];
        assert!(slot.is_f64());
        *slot = "measured".into();
    }
    for key in [
        "seconds",
        "training_seconds",
        "optimizer_seconds",
        "waiting_seconds",
    ] {
        assert!(result[key].as_f64().unwrap() >= 0.0);
        result[key] = "measured".into();
    }
    insta::assert_json_snapshot!(result);
}

#[test]
fn quiet_says_nothing() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args(["train", "-q", "--epochs", "1"])
        .assert()
        .success();
    assert_eq!(
        (stdout(&assert), stderr(&assert)),
        (String::new(), String::new())
    );
}

#[test]
fn a_run_is_never_overwritten_unasked() {
    let here = tempdir().unwrap();
    let run = |more: &[&str]| {
        koala(here.path())
            .args(["train", "--epochs", "1", "--out", "mine"])
            .args(more)
            .assert()
    };
    run(&[]).success();
    let before = text(&here.path().join("mine/result.json"));
    let refused = run(&["--seed", "1"]).code(1);
    assert_eq!(
        stderr(&refused),
        "error: mine: the folder already holds files. Choose another --out, or give --overwrite to replace a run in it\n"
    );
    assert_eq!(text(&here.path().join("mine/result.json")), before);
    run(&["--seed", "1", "--overwrite"]).success();
    assert_ne!(text(&here.path().join("mine/result.json")), before);
}

#[test]
fn a_stored_configuration_repeats_the_run_bit_by_bit() {
    let here = tempdir().unwrap();
    let run = |arguments: &[&str]| {
        koala(here.path())
            .args(["train", "-q"])
            .args(arguments)
            .assert()
            .success();
    };
    for optimizer in koala_train::optimizers::OptimizerSpec::NAMES {
        let first = format!("{optimizer}-1");
        let second = format!("{optimizer}-2");
        let config = format!("{first}/config.toml");
        run(&[
            "--optimizer",
            optimizer,
            "--epochs",
            "2",
            "--seed",
            "7",
            "--schedule",
            "wsd",
            "--weight-decay",
            "1e-4",
            "--out",
            &first,
        ]);
        run(&["--config", &config, "--out", &second]);
        for file in ["config.toml", "model.safetensors"] {
            let read = |run: &str| fs::read(here.path().join(run).join(file)).unwrap();
            assert!(read(&first) == read(&second), "{optimizer}: {file}");
        }
    }
}

#[test]
fn wrong_usage_names_the_flag() {
    let here = tempdir().unwrap();
    fs::write(here.path().join("cifar.toml"), "epoch = 3\n").unwrap();
    let cases: &[&[&str]] = &[
        &["--optimizer", "koala"],
        &["--epochs", "0"],
        &["--epochs", "many"],
        &["--optimizer", "sgd", "--velocity-decay", "0.5"],
        &["--gain", "-1"],
        &["--kappa", "1.5"],
        &["--optimizer", "adam", "--beta-1", "1"],
        &["--data-dir", "somewhere"],
        &["--channels", "8"],
        &["--schedule", "milestones"],
        &["--warmup-steps", "5"],
        &["--hidden", "0"],
        &["--seed", "-1"],
        &["--drop-last", "--batch-size", "5000"],
        &["--overwrite"],
        &["--config", "cifar.toml"],
        &["--config", "nowhere.toml"],
        &["--model", "cnn", "--channels", "4,4,4,4"],
        &["--model", "cnn", "--norm", "layer"],
        &["--norm", "none"],
        &["--model", "vit", "--patch", "0"],
        &["--model", "vit", "--patch", "3"],
        &["--model", "vit", "--heads", "3"],
        &["--model", "vit", "--layers", "9000000"],
        &["--model", "autoencoder", "--hidden", "16,0,16"],
        &["--dataset", "friedman", "--model", "cnn"],
        &["--dataset", "friedman", "--augment", "crop-flip"],
        &["--dataset", "friedman", "--validation", "8000"],
        &["--dataset", "tiny-shakespeare-words", "--window", "0"],
        &["--device", "cudo:1"],
        &["--device", "npu"],
        &["--device", "cuda:first"],
        &["--device", "cpu:1"],
    ];
    let mut all = String::new();
    for arguments in cases {
        let assert = koala(here.path())
            .arg("train")
            .args(*arguments)
            .assert()
            .code(2);
        assert_eq!(stdout(&assert), "");
        all += &format!(
            "$ koala train {}\n{}\n",
            arguments.join(" "),
            stderr(&assert).trim_end()
        );
        all += "\n";
    }
    insta::assert_snapshot!(all);
}

/// The data are asked for after the device, and the run folder after both.
#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_was_left_out_is_a_failure_with_a_remedy() {
    let here = tempdir().unwrap();
    let missing_data = ["--dataset", "fashion-mnist", "--data-dir", "nowhere"];
    for command in [&["train", "--out", "run"][..], &["compare", "--out", "run"]] {
        let assert = koala(here.path())
            .args(command)
            .args(missing_data)
            .args(["--device", "cuda:1"])
            .assert()
            .code(1);
        assert_eq!(stdout(&assert), "");
        assert_eq!(
            stderr(&assert),
            "error: device cuda:1: this koala was built without cuda. Build one with it: cargo install --path \
             crates/koala-lab --features cuda\n"
        );
        assert!(!here.path().join("run").exists());
    }
}

#[test]
fn missing_data_is_a_failure_with_a_remedy() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args([
            "train",
            "--dataset",
            "fashion-mnist",
            "--data-dir",
            "nowhere",
        ])
        .assert()
        .code(1);
    insta::assert_snapshot!(stderr(&assert));
    assert!(
        !here.path().join("runs").exists(),
        "no folder for a run that could not begin"
    );
}

#[test]
fn damaged_data_is_named() {
    let here = tempdir().unwrap();
    fs::write(here.path().join("train-images-idx3-ubyte.gz"), b"\x1f\x8b").unwrap();
    koala(here.path())
        .args(["train", "--dataset", "fashion-mnist", "--data-dir", "."])
        .assert()
        .code(1)
        .stderr(predicate::str::contains(
            "train-images-idx3-ubyte.gz: expected whole gzip data",
        ));
}

#[test]
fn a_diverged_run_fails_and_says_why() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args([
            "train",
            "--json",
            "--optimizer",
            "sgd",
            "--lr",
            "1e30",
            "--out",
            "run",
        ])
        .assert()
        .code(1);
    assert_eq!(stdout(&assert), "");
    assert!(stderr(&assert).contains("training has diverged. Try a lower learning-rate"));
    assert!(here.path().join("run/events.jsonl").is_file());
    assert!(!here.path().join("run/result.json").exists());
}

#[test]
fn help_is_whole() {
    let here = tempdir().unwrap();
    for arguments in [
        &["--help"][..],
        &["train", "--help"],
        &["compare", "--help"],
        &["sensitivity", "--help"],
        &["report", "--help"],
        &["watch", "--help"],
        &["check", "--help"],
        &["doctor", "--help"],
    ] {
        let assert = koala(here.path()).args(arguments).assert().success();
        let out = stdout(&assert);
        let name = arguments[0].trim_start_matches("--help");
        let name = if name.is_empty() { "koala" } else { name };
        insta::assert_snapshot!(format!("help_{name}"), out);
    }
    koala(here.path()).assert().code(2);
    koala(here.path()).arg("fly").assert().code(2);
    koala(here.path()).arg("--version").assert().success();
}
