//! Suites by name.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;

use common::{json, koala, stderr, stdout};
use koala_compare::{SUITES, suite_text};
use tempfile::tempdir;

#[test]
fn suites_are_listed_and_printed() {
    let here = tempdir().unwrap();
    let assert = koala(here.path()).arg("suites").assert().success();
    insta::assert_snapshot!(stdout(&assert));
    let all = koala(here.path())
        .args(["suites", "--json"])
        .assert()
        .success();
    let all = json(&all);
    let names = all
        .as_array()
        .unwrap()
        .iter()
        .map(|suite| suite["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), SUITES);
    for name in SUITES {
        let printed = koala(here.path()).args(["suites", name]).assert().success();
        let printed = String::from_utf8(printed.get_output().stdout.clone()).unwrap();
        assert_eq!(printed, suite_text(name).unwrap());
    }
}

/// A file is what has an extension or a folder before it; all else is a name.
#[test]
fn a_name_is_an_embedded_suite_and_a_path_is_a_file() {
    let here = tempdir().unwrap();
    let own = "name = 'own'\nseeds = [7]\noptimizers = ['sgd']\n[[workload]]\nname = 'mine'\nset.epochs = 1\n";
    fs::write(here.path().join("digits"), own).unwrap();
    fs::write(here.path().join("digits.toml"), own).unwrap();
    fs::write(here.path().join("mine"), own).unwrap();
    let listed = |command: &str, name: &str| {
        let assert = koala(here.path())
            .args([command, name, "--dry-run"])
            .assert()
            .success();
        stdout(&assert)
    };
    for command in ["compare", "sensitivity"] {
        let embedded = listed(command, "digits");
        assert!(
            embedded.contains("runs in comparisons/digits,"),
            "{embedded}"
        );
        for file in ["./digits", "digits.toml", "./mine"] {
            let read = listed(command, file);
            assert!(read.contains("runs in comparisons/own,"), "{file}: {read}");
        }
    }
    let refused = |name: &str| {
        let assert = koala(here.path()).args(["compare", name]).assert().code(2);
        stderr(&assert)
    };
    assert_eq!(
        refused("digit"),
        "error: koala compare: no suite is called 'digit', did you mean 'digits'?\n"
    );
    assert_eq!(
        refused("mine"),
        "error: koala compare: no suite is called 'mine'; there are: digits, four, untuned, cheap; the file of that name is ./mine\n"
    );
    assert!(refused("nowhere.toml").contains("suite nowhere.toml: cannot be read"));
}

#[test]
fn completions_know_the_names_of_suites_and_recipes() {
    let here = tempdir().unwrap();
    let script = koala(here.path())
        .args(["completions", "bash"])
        .output()
        .unwrap();
    fs::write(here.path().join("koala.bash"), script.stdout).unwrap();
    let completed = |words: &str, at: usize, last: &str, before: &str| {
        let asked = format!(
            "source koala.bash && COMP_WORDS=({words}) COMP_CWORD={at} && _koala koala '{last}' '{before}' && echo ${{COMPREPLY[@]}}"
        );
        let told = std::process::Command::new("bash")
            .args(["-c", &asked])
            .current_dir(here.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    };
    assert_eq!(
        completed("koala compare unt", 2, "unt", "compare"),
        "untuned"
    );
    assert_eq!(
        completed("koala sensitivity fo", 2, "fo", "sensitivity"),
        "four"
    );
    assert_eq!(
        completed("koala train --recipe digits-m", 3, "digits-m", "--recipe"),
        "digits-mlp"
    );
}
