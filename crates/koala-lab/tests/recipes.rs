//! `koala recipes`, and a few steps of every recipe on made data.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use common::{checkpoints, finished, json, koala, stderr, stdout, take_back, text};
use koala_data::{DatasetName, sample};
use koala_train::recipe::{NAMES, Recipe};
use tempfile::tempdir;

#[test]
fn recipes_are_listed() {
    let here = tempdir().unwrap();
    let assert = koala(here.path()).arg("recipes").assert().success();
    insta::assert_snapshot!(stdout(&assert));
    let all = koala(here.path())
        .args(["recipes", "--json"])
        .assert()
        .success();
    let all = json(&all);
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, NAMES);
    let of_the_paper = |recipe: &&serde_json::Value| recipe["name"] == "cifar10-resnet18-200";
    let one = all.as_array().unwrap().iter().find(of_the_paper);
    insta::assert_json_snapshot!("json", one);
}

#[test]
fn a_recipe_that_is_printed_is_a_recipe() {
    let here = tempdir().unwrap();
    for name in NAMES {
        let printed = koala(here.path())
            .args(["recipes", name])
            .assert()
            .success();
        let file = here.path().join("mine.toml");
        fs::write(&file, &printed.get_output().stdout).unwrap();
        let mine = Recipe::find(&file.display().to_string()).unwrap();
        let own = Recipe::find(name).unwrap();
        assert_eq!(
            mine.resolve(&[]).unwrap(),
            own.resolve(&[]).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn flags_win_over_a_recipe_and_its_file() {
    let here = tempdir().unwrap();
    let printed = koala(here.path())
        .args(["recipes", "digits-mlp"])
        .assert()
        .success();
    fs::write(here.path().join("mine.toml"), stdout(&printed)).unwrap();
    let configs = ["digits-mlp", "mine.toml"].map(|recipe| {
        let out = format!("{recipe}-run");
        koala(here.path())
            .args(["train", "--quiet", "--recipe", recipe, "--out", &out])
            .args(["--max-steps=2", "--optimizer=sgd", "--momentum=0.25"])
            .assert()
            .success();
        text(&here.path().join(out).join("config.toml"))
    });
    assert_eq!(configs[0], configs[1]);
    for line in ["max-steps = 2", "name = \"sgd\"", "momentum = 0.25"] {
        assert!(configs[0].lines().any(|l| l == line), "{line}");
    }
}

#[test]
fn mistakes_are_named() {
    let here = tempdir().unwrap();
    let about = "about = { title = 'mine', source = 'me' }\n";
    fs::write(here.path().join("key.toml"), format!("{about}epoch = 3\n")).unwrap();
    let option = format!("{about}[optimizers.koala-m]\nkapa = 3\n");
    fs::write(here.path().join("option.toml"), option).unwrap();
    fs::write(here.path().join("bare.toml"), "epochs = 3\n").unwrap();
    let mut all = String::new();
    for arguments in [
        &["recipes", "cifar10-resnet19"][..],
        &["train", "--recipe", "cifar10-resnet19"],
        &["train", "--recipe", "nowhere.toml"],
        &["train", "--recipe", "key.toml"],
        &["train", "--recipe", "option.toml"],
        &["train", "--recipe", "bare.toml"],
        &["train", "--recipe", "digits-mlp", "--channels", "8"],
        &["train", "--recipe", "digits-mlp", "--config", "key.toml"],
    ] {
        let assert = koala(here.path()).args(arguments).assert().code(2);
        assert_eq!(stdout(&assert), "");
        all += &format!("$ koala {}\n{}\n", arguments.join(" "), stderr(&assert));
    }
    insta::assert_snapshot!(all);
}

/// Flags for three steps of a recipe on little made data.
fn little(recipe: &str, here: &Path) -> Vec<String> {
    let config = Recipe::find(recipe).unwrap().resolve(&[]).unwrap();
    let dataset = DatasetName::named(config.dataset.name()).unwrap();
    let mut flags = vec!["--max-steps=3".to_owned()];
    flags.push("--checkpoint-every=1".to_owned());
    // KOALA-M remembers two numbers a parameter, and checkpoints of the widest networks would have 800 MB.
    if ["wrn50", "resnet50", "1500"]
        .iter()
        .any(|wide| recipe.contains(wide))
    {
        flags.push("--optimizer=koala-v".to_owned());
    }
    match dataset {
        DatasetName::Digits | DatasetName::Friedman => flags.push("--train-limit=200".to_owned()),
        DatasetName::TinyShakespeareWords => flags.push("--batch-size=4".to_owned()),
        // A text of the same form, since an evaluation of this one takes long.
        DatasetName::TinyShakespeare => {
            let file = sample::write(DatasetName::Text, here, 60, 1)
                .unwrap()
                .unwrap();
            flags.push("--dataset=text".to_owned());
            flags.push(format!("--file={}", file.display()));
            flags.push("--batch-size=4".to_owned());
        }
        _ => {
            let folder = sample::write(dataset, here, 60, 1).unwrap().unwrap();
            flags.push(format!("--data-dir={}", folder.display()));
            let text = matches!(dataset, DatasetName::Ptb | DatasetName::Wikitext2);
            flags.push(format!("--batch-size={}", if text { 2 } else { 4 }));
        }
    }
    flags
}

#[test]
fn every_recipe_makes_its_first_steps_and_goes_on_to_the_same_bits() {
    for name in NAMES {
        let here = tempdir().unwrap();
        koala(here.path())
            .args(["train", "--quiet", "--out=run", "--recipe", name])
            .args(little(name, here.path()))
            .assert()
            .success();
        let run = here.path().join("run");
        let expected = finished(&run);
        let steps: Vec<_> = checkpoints(&run)
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(steps, ["step-000000000002", "step-000000000003"], "{name}");
        take_back(&run);
        let resumed = koala(here.path())
            .args(["train", "--resume=run"])
            .assert()
            .success();
        let said = stdout(&resumed);
        assert!(said.contains("\ngoes on after 2 steps\n"), "{name}: {said}");
        finished(&run).assert_equal(&expected, name);
    }
}
