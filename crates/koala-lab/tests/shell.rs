//! What shells and `man` are told of the program.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::koala;
use predicates::str::{contains, starts_with};

#[test]
fn every_shell_has_a_script_that_knows_commands_and_flags() {
    let here = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        koala(here.path())
            .args(["completions", shell])
            .assert()
            .success()
            .stdout(contains("sensitivity"))
            .stdout(contains("gradient-floor"))
            // Values that are names are completed too.
            .stdout(contains("schedule-free-adamw"));
    }
    koala(here.path())
        .args(["completions", "tcsh"])
        .assert()
        .code(2)
        .stderr(contains(
            "[possible values: bash, elvish, fish, powershell, zsh]",
        ));
}

#[test]
fn bash_takes_its_script() {
    let here = tempfile::tempdir().unwrap();
    let script = koala(here.path())
        .args(["completions", "bash"])
        .output()
        .unwrap();
    std::fs::write(here.path().join("koala.bash"), script.stdout).unwrap();
    let completed = std::process::Command::new("bash")
        .args(["-c", "source koala.bash && COMP_WORDS=(koala re) COMP_CWORD=1 && _koala koala re koala && echo ${COMPREPLY[@]}"])
        .current_dir(here.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&completed.stdout).trim(),
        "recipes report replay"
    );
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let here = tempfile::tempdir().unwrap();
    koala(here.path())
        .arg("man")
        .assert()
        .success()
        .stdout(contains(".TH koala 1"));
    koala(here.path())
        .args(["man", "--out", "share/man1"])
        .assert()
        .success();
    let page = std::fs::read_to_string(here.path().join("share/man1/koala-train.1")).unwrap();
    assert!(page.contains("gradient\\-floor"), "{page}");
    assert!(here.path().join("share/man1/koala-data-fetch.1").exists());
    std::fs::write(here.path().join("file"), "").unwrap();
    koala(here.path())
        .args(["man", "--out", "file"])
        .assert()
        .code(1)
        .stderr(starts_with("error: file: cannot write the manual into it"));
}

#[test]
fn flags_stand_where_one_looks_for_them() {
    let here = tempfile::tempdir().unwrap();
    let help = koala(here.path())
        .args(["train", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let group = |flag: &str| {
        let before = &help[..help.find(&format!("      --{flag} <")).unwrap()];
        let mut heads = before
            .lines()
            .filter(|line| line.ends_with(':') && !line.starts_with(' '));
        heads.next_back().unwrap().to_owned()
    };
    for (flag, expected) in [
        ("recipe", "Run:"),
        ("config", "Run:"),
        ("resume", "Run:"),
        ("seed", "Run:"),
        ("optimizer", "Optimizer:"),
        ("epochs", "Task:"),
        ("out", "Output:"),
    ] {
        assert_eq!(group(flag), expected, "{flag}");
    }
}
