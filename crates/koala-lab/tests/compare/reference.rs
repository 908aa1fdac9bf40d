//! An untuned optimizer against tuned baselines, from a suite's file to the report.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use koala_train::optimizers::OptimizerSpec;
use koala_train::run::RunConfig;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::runs::listing;
use crate::common::{json, koala, stderr, stdout, text};

const SUITE: &str = r#"
    name = "held"
    seeds = [0, 1]
    optimizers = ["koala-v", "sgd", "adamw"]
    reference = "adamw"
    measure = "loss"
    recipe-options = false
    horizons = [0.5, 1]
    [optimizer.adamw]
    schedule.name = "cosine"
    [options.sgd]
    momentum = 0.8
    [tuning]
    trials = 2
    sampler = "grid"
    optimizers = ["sgd", "adamw"]
    [tuning.space]
    sgd.learning-rate = [0.02, 0.2]
    adamw.learning-rate = [1e-3, 1e-2]
    [[workload]]
    name = "digits"
    recipe = "own.toml"
    [[workload]]
    name = "small"
    recipe = "own.toml"
    [workload.set]
    model.hidden = [8]
    max-steps = 9
"#;

/// What it says of optimizers is not taken, all else is.
const OWN: &str = r#"
    about = { title = "t", source = "s" }
    epochs = 1
    batch-size = 32
    schedule = { name = "milestones", milestones = [1] }
    [optimizers.koala-v]
    gain = 7.0
    [optimizers.sgd]
    learning-rate = 0.7
    weight-decay = 0.5
"#;

fn done() -> TempDir {
    let here = tempdir().unwrap();
    fs::write(here.path().join("held.toml"), SUITE).unwrap();
    fs::write(here.path().join("own.toml"), OWN).unwrap();
    koala(here.path())
        .args(["compare", "held.toml", "--quiet", "--jobs=2"])
        .assert()
        .success();
    here
}

/// The runs of a suite with what decided them.
fn runs(folder: &Path) -> Vec<(Value, RunConfig)> {
    let listed = listing(folder)["runs"].as_array().unwrap().clone();
    let with = |run: Value| {
        let path = folder.join(run["folder"].as_str().unwrap());
        let config = RunConfig::resolve(Some(&path.join("config.toml")), &[]).unwrap();
        (run, config)
    };
    listed.into_iter().map(with).collect()
}

#[test]
fn untuned_ones_run_in_one_configuration_and_baselines_are_tuned() {
    let here = done();
    let folder = here.path().join("comparisons/held");
    for (run, config) in runs(&folder) {
        let expected = match &config.optimizer {
            OptimizerSpec::Sgd(sgd) => {
                assert_eq!((sgd.momentum, sgd.weight_decay), (0.8, 0.0));
                assert!([0.1, 0.02, 0.2].contains(&sgd.learning_rate), "{sgd:?}");
                "constant"
            }
            OptimizerSpec::AdamW(_) => "cosine",
            koala => {
                assert_eq!(run["role"]["role"], "defaults", "it has no trials");
                assert_eq!(*koala, OptimizerSpec::named("koala-v").unwrap());
                "constant"
            }
        };
        assert_eq!(config.schedule.name(), expected);
        assert_eq!(config.batch_size, 32);
    }
    // Two lengths of two workloads: two seeds of three defaults and two tuned arms, two trials of two optimizers.
    assert_eq!(runs(&folder).len(), 4 * (2 * 5 + 4));
    let listing = listing(&folder);
    assert_eq!(listing["tuning"]["untuned"], serde_json::json!(["koala-v"]));
    assert_eq!(listing["workloads"][0]["measure"], "loss");
    assert!(listing["workloads"][0]["test_samples"].as_u64().unwrap() > 100);
}

#[test]
fn lengths_are_runs_of_their_own() {
    let here = done();
    let folder = here.path().join("comparisons/held");
    let steps = |workload: &str| -> BTreeSet<u64> {
        let of = runs(&folder)
            .into_iter()
            .filter(|(run, _)| run["workload"] == workload);
        of.map(|(run, _)| {
            let path = folder.join(run["folder"].as_str().unwrap());
            let result: Value = serde_json::from_str(&text(&path.join("result.json"))).unwrap();
            result["steps"].as_u64().unwrap()
        })
        .collect()
    };
    let whole = steps("digits").pop_first().unwrap();
    assert_eq!(steps("digits").len(), 1);
    assert_eq!(
        steps("digits@0.5"),
        BTreeSet::from([(whole as f64 / 2.0).round() as u64])
    );
    assert_eq!(
        (steps("small"), steps("small@0.5")),
        (BTreeSet::from([9]), BTreeSet::from([5]))
    );
    // The length itself is found done by a suite that asks for it alone, in the place of the one with both.
    let told = koala(here.path())
        .args([
            "compare",
            "held.toml",
            "--horizons=1",
            "--jobs=2",
            "--replace",
        ])
        .assert()
        .success();
    let told = stdout(&told);
    assert!(told.contains("runs, 0 of them now"), "{told}");
}

#[test]
fn the_report_begins_with_the_reference_in_every_form() {
    let here = done();
    let compare = |more: &[&str]| {
        let mut command = koala(here.path());
        command
            .args(["compare", "held.toml", "--jobs=2"])
            .args(more);
        command.assert().success()
    };
    let told = stdout(&compare(&[]));
    assert!(
        told.starts_with("held\n\nThe answer\n- On your 2 problems, koala-v (untuned) "),
        "{told}"
    );
    // Too few seeds and too few steps: it says so.
    let answer = told.split("\n\n").nth(1).unwrap().replace("\n  ", " ");
    assert!(
        answer.contains("stands beside tuned adamw: it takes 3 seeds to say who is better")
            && answer.contains("that is no verdict."),
        "{answer}"
    );
    let next = "\n\nLengths: test result over that of adamw (tuned) (geometric mean)";
    assert!(told.contains(next), "{told}");
    let found = json(&compare(&["--json"]));
    let horizons = found["reference"]["horizons"].as_array().unwrap();
    assert_eq!(horizons.len(), 2);
    for horizon in horizons {
        assert_eq!(horizon["references"][1]["kind"], "tuned");
        let arms = horizon["arms"].as_array().unwrap();
        assert_eq!(arms.len(), 5);
        for arm in arms {
            // By hand: the geometric mean of what stands beside it.
            let ratios: Vec<f64> = arm["on"]
                .as_array()
                .unwrap()
                .iter()
                .map(|on| on["result"].as_f64().unwrap())
                .collect();
            let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / 2.0).exp();
            let result = &arm["result"];
            assert!((result["mean"].as_f64().unwrap() / mean - 1.0).abs() < 1e-12);
            let ends = &result["interval"];
            let [low, high] = ["low", "high"].map(|end| ends[end].as_f64().unwrap());
            assert!(low <= mean * (1.0 + 1e-12) && mean <= high * (1.0 + 1e-12));
            if arm["is_reference"] == true {
                assert_eq!((arm["optimizer"].as_str(), mean), (Some("adamw"), 1.0));
                assert_eq!((low, high), (1.0, 1.0));
            }
        }
    }
    koala(here.path())
        .args(["report", "comparisons/held"])
        .assert()
        .success();
    let report = here.path().join("comparisons/held/report");
    for (file, expected) in [
        (
            "report.md",
            "# held\n\n## The answer\n\n- On your 2 problems, ",
        ),
        ("report.md", "\n\n## Lengths: "),
        ("report.html", "<h2 id=\"reference\">Against adamw</h2>"),
        ("report.tex", "\\section*{held}\n"),
        ("report.tex", "On your 2 problems, "),
        ("reference.csv", "reference,horizon,optimizer"),
        ("ratios.csv", "workload,horizon,measure"),
    ] {
        let text = text(&report.join(file));
        assert!(text.contains(expected), "{file}");
    }
    // Two workloads, five arms, two lengths, and a head.
    assert_eq!(text(&report.join("ratios.csv")).lines().count(), 21);

    // Held against another, nothing runs again.
    let best = koala(here.path())
        .args([
            "report",
            "comparisons/held",
            "--reference=best",
            "--json",
            "--out=best",
        ])
        .assert()
        .success();
    assert_eq!(json(&best)["comparison"]["reference"]["name"], "best");
    let refused = koala(here.path())
        .args([
            "report",
            "comparisons/held",
            "--reference=adam",
            "--out=none",
        ])
        .assert()
        .code(2);
    assert_eq!(
        stderr(&refused).trim(),
        "error: no optimizer here is called 'adam', did you mean 'adamw'?"
    );
    assert!(!here.path().join("none").exists());
}

#[test]
fn flags_tell_configurations_of_one_optimizer_apart() {
    let here = tempdir().unwrap();
    let slow = "sgd:learning-rate=0.01:nesterov=true";
    let told = koala(here.path())
        .args(["compare", "--epochs=1", "--seeds=0,1", "--tuning-trials=1"])
        .arg(format!("--optimizers=koala-v,sgd,{slow}"))
        .arg(format!("--untuned=koala-v,{slow}"))
        .arg(format!("--reference={slow}"))
        .assert()
        .success();
    assert!(stdout(&told).contains("sgd:learning-rate="));
    let folder = here.path().join("comparisons/digits-mlp");
    let mut met = BTreeSet::new();
    for (run, config) in runs(&folder) {
        let OptimizerSpec::Sgd(sgd) = &config.optimizer else {
            continue;
        };
        let own = run["optimizer"] == slow;
        assert_eq!(run.get("method").is_some(), own);
        assert_eq!(
            (sgd.learning_rate, sgd.nesterov),
            if own { (0.01, true) } else { (0.1, false) }
        );
        met.insert((own, run["role"]["role"].as_str().unwrap().to_owned()));
    }
    let [own, plain] = [true, false].map(|own| met.iter().filter(|(of, _)| *of == own).count());
    assert_eq!((own, plain), (1, 3), "{met:?}");
    assert_eq!(listing(&folder)["reference"], slow);
    koala(here.path())
        .args(["report", "comparisons/digits-mlp", "--formats=html,csv"])
        .assert()
        .success();
    let page = text(&folder.join("report/report.html"));
    assert!(page.contains(slow));
    // One of KOALA-V, two of SGD with its defaults, one of the other.
    let comparison: Value = serde_json::from_str(&text(&folder.join("comparison.json"))).unwrap();
    assert_eq!(
        comparison["workloads"][0]["arms"].as_array().unwrap().len(),
        4
    );
    let csv = fs::read_dir(folder.join("report")).unwrap();
    let csv = csv.map(|entry| entry.unwrap().path());
    let csv: Vec<_> = csv
        .filter(|path| path.extension().is_some_and(|e| e == "csv"))
        .collect();
    assert!(!csv.is_empty() && csv.iter().any(|file| text(file).contains(slow)));
}

#[test]
fn flags_do_without_a_file() {
    let here = tempdir().unwrap();
    let told = koala(here.path())
        .args([
            "compare",
            "--epochs=1",
            "--seeds=0,1",
            "--optimizers=koala-v,adamw",
        ])
        .args([
            "--tuning-trials=2",
            "--untuned=koala-v",
            "--reference=adamw",
            "--measure=loss",
        ])
        .assert()
        .success();
    let told = stdout(&told);
    assert!(
        told.contains("Test result over that of adamw (tuned): below 1 is better"),
        "{told}"
    );
    assert!(told.contains("There is one workload"), "{told}");
    let listing = listing(&here.path().join("comparisons/digits-mlp"));
    assert_eq!(listing["reference"], "adamw");
    assert_eq!(listing["workloads"][0]["measure"], "loss");
    let trials = listing["runs"].as_array().unwrap().iter();
    let trials = trials.filter(|run| run["role"]["role"] == "trial");
    assert!(trials.clone().count() == 2 && trials.clone().all(|run| run["optimizer"] == "adamw"));
}
