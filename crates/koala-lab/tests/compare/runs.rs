//! What is done, and what is not done twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::common::{json, koala, stderr, stdout, text};

/// The listing of a suite's folder.
pub fn listing(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&text(&folder.join("suite.json"))).unwrap()
}

/// The last weights of every run, by its folder.
pub fn weights(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let runs = fs::read_dir(folder.join("runs")).unwrap();
    runs.map(|entry| {
        let entry = entry.unwrap();
        let weights = fs::read(entry.path().join("model.safetensors")).unwrap();
        (entry.file_name().into_string().unwrap(), weights)
    })
    .collect()
}

#[test]
fn the_simple_case_needs_no_file() {
    let here = tempdir().unwrap();
    let compare = || {
        let mut command = koala(here.path());
        command.args(["compare", "--epochs=2", "--seeds=1,2"]);
        command
    };
    let assert = compare().assert().success();
    assert_eq!(stderr(&assert), "");
    let told = stdout(&assert);
    let folder = here.path().join("comparisons/digits-mlp");
    assert!(
        told.ends_with(
            "12 runs, 12 of them now, in comparisons/digits-mlp\n\
             koala report comparisons/digits-mlp makes a page of it\n"
        ),
        "{told}"
    );
    for expected in ["koala-pp", "n", "digits-mlp"] {
        assert!(told.contains(expected), "{told}");
    }
    let found: serde_json::Value =
        serde_json::from_str(&text(&folder.join("comparison.json"))).unwrap();
    assert_eq!(found["workloads"][0]["arms"].as_array().unwrap().len(), 6);
    let runs = listing(&folder);
    assert_eq!(runs["source"], "koala compare --epochs=2 --seeds=1,2");
    let order: Vec<(u64, &str)> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            (
                run["seed"].as_u64().unwrap(),
                run["optimizer"].as_str().unwrap(),
            )
        })
        .collect();
    let names = ["koala-a", "koala-m", "koala-v", "koala-pp", "sgd", "adam"];
    let expected: Vec<_> = [1, 2]
        .iter()
        .flat_map(|seed| names.map(|name| (*seed, name)))
        .collect();
    assert_eq!(order, expected, "seed by seed");

    let as_json = compare().arg("--json").assert().success();
    assert!(json(&as_json) == found);

    // Done once, it is not done again; more of it is done for what is new.
    let told = stdout(&compare().assert().success());
    assert!(told.contains("12 runs, 0 of them now"), "{told}");
    let mut more = compare();
    more.args(["--tuning-trials=2", "--optimizers=sgd,adamw"]);
    let listed = stdout(&more.arg("--dry-run").assert().success());
    assert!(
        listed.contains("8 runs in comparisons/digits-mlp, 2 of them done"),
        "{listed}"
    );
    assert!(
        listed.contains("and up to 4 more with what tuning will choose"),
        "{listed}"
    );
    assert!(listed.contains("trial 1: learning-rate #  new"), "{listed}");
}

#[test]
fn quiet_is_quiet_and_a_recipe_is_compared_on() {
    let here = tempdir().unwrap();
    let assert = koala(here.path())
        .args(["compare", "--quiet", "--recipe=digits-mlp", "--epochs=1"])
        .args(["--optimizers=sgd", "--seeds=3", "--out=all", "--target=20"])
        .assert()
        .success();
    assert_eq!((stdout(&assert), stderr(&assert)), Default::default());
    let listing = listing(&here.path().join("all"));
    assert_eq!(listing["workloads"][0]["name"], "digits-mlp");
    assert_eq!(listing["workloads"][0]["target"], 20.0);
    assert_eq!(listing["runs"].as_array().unwrap().len(), 1);
}

const SUITE: &str = r#"
    name = "two"
    seeds = [0]
    optimizers = ["koala-v", "adam"]
    [[workload]]
    name = "digits"
    recipe = "digits-mlp"
    target = 12
    set.epochs = 1
    [[workload]]
    name = "own"
    recipe = "own.toml"
    [workload.set]
    max-steps = 5
    optimizers.adam.learning-rate = 0.01
    [options.adam]
    learning-rate = 0.002
    beta-1 = 0.8
"#;

const OWN: &str = r#"
    about = { title = "t", source = "s" }
    [model]
    name = "mlp"
    hidden = [8]
    [optimizers.adam]
    epsilon = 1e-6
"#;

#[test]
fn a_suite_says_all_of_it() {
    let here = tempdir().unwrap();
    fs::create_dir(here.path().join("of")).unwrap();
    fs::write(here.path().join("of/two.toml"), SUITE).unwrap();
    fs::write(here.path().join("of/own.toml"), OWN).unwrap();
    koala(here.path())
        .args(["compare", "of/two.toml"])
        .assert()
        .success();
    let folder = here.path().join("comparisons/two");
    let listing = listing(&folder);
    assert_eq!(listing["source"], "koala compare of/two.toml");
    let runs = listing["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    let config = |workload: &str, optimizer: &str| {
        let run = runs
            .iter()
            .find(|run| run["workload"] == workload && run["optimizer"] == optimizer)
            .unwrap();
        let folder = folder.join(run["folder"].as_str().unwrap());
        text(&folder.join("config.toml"))
    };
    let digits = config("digits", "adam");
    for expected in ["learning-rate = 0.002", "beta-1 = 0.8", "epochs = 1"] {
        assert!(digits.contains(expected), "{expected}: {digits}");
    }
    let own = config("own", "adam");
    for expected in [
        "learning-rate = 0.01",
        "beta-1 = 0.8",
        "epsilon = 1e-6",
        "hidden = [8]",
        "max-steps = 5",
    ] {
        assert!(
            own.replace("0.000001", "1e-6").contains(expected),
            "{expected}: {own}"
        );
    }
}

#[test]
fn sweeps_stand_beside_the_comparison() {
    let here = tempdir().unwrap();
    let command = |name: &str, more: &[&str]| {
        let assert = koala(here.path())
            .args([name, "--optimizers=koala-m,adam", "--seeds=0", "--epochs=1"])
            .args(more)
            .assert()
            .success();
        stdout(&assert)
    };
    command("compare", &[]);
    let points = ["--points=3", "--decades=0.5"];
    // Gain, velocity noise, P_0 and batch size of the one, learning rate and batch size of the other: three values of each, and
    // the middle one is the same run.
    let told = command("sensitivity", &points);
    assert!(told.contains("\n14 runs, 14 of them now"), "{told}");
    let told = command("sensitivity", &points);
    assert!(told.contains("\n14 runs, 0 of them now"), "{told}");
    let folder = here.path().join("comparisons/digits-mlp");
    let counts = || {
        let mut counts = BTreeMap::new();
        for run in listing(&folder)["runs"].as_array().unwrap() {
            let role = run["role"]["role"].as_str().unwrap().to_owned();
            *counts.entry(role).or_insert(0) += 1;
        }
        counts
    };
    let both = BTreeMap::from([("defaults".to_owned(), 2), ("sweep".to_owned(), 18)]);
    assert_eq!(counts(), both);
    command("compare", &[]);
    assert_eq!(counts(), both, "a comparison keeps the sweeps");
    let refused = koala(here.path())
        .args([
            "compare",
            "--optimizers=koala-m,adam",
            "--seeds=0",
            "--epochs=1",
            "--batch-size=32",
        ])
        .assert()
        .code(2);
    let said = stderr(&refused);
    assert!(
        said.contains("comparisons/digits-mlp: the folder holds another comparison")
            && said.contains("--replace"),
        "{said}"
    );
    assert_eq!(counts(), both, "nothing is lost unasked");
    command("compare", &["--batch-size=32", "--replace"]);
    let other = BTreeMap::from([("defaults".to_owned(), 2)]);
    assert_eq!(
        counts(),
        other,
        "sweeps of another batch are not this comparison's"
    );
}

#[test]
fn two_programs_do_each_run_once() {
    let here = tempdir().unwrap();
    let arguments = [
        "compare",
        "--optimizers=koala-v,sgd,adam",
        "--seeds=0,1,2",
        "--epochs=4",
        "--out=all",
    ];
    let start = || {
        std::process::Command::new(assert_cmd::cargo::cargo_bin!("koala"))
            .current_dir(here.path())
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let both = [start(), start()];
    let mut done = 0;
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        let words: Vec<&str> = told.lines().rev().nth(1).unwrap().split(' ').collect();
        assert_eq!(words[0], "9", "{told}");
        done += words[2].parse::<usize>().unwrap();
    }
    assert_eq!(done, 9);
    let alone = tempdir().unwrap();
    koala(alone.path()).args(arguments).assert().success();
    assert!(weights(&alone.path().join("all")) == weights(&here.path().join("all")));
}
