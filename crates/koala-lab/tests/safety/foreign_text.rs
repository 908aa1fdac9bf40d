//! Text of others is seen, and does nothing.

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use tempfile::tempdir;

use crate::common::{koala, text};

/// Colours, the title of the window, an escape of C1, writing from right to left.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}gpj";
/// The same as TOML and JSON write it.
const WRITTEN: &str = "\\u001b[31mred\\u001b]0;title\\u0007\\u009b2J\\u202egpj";

/// Panics if something that steers a terminal was written.
fn check_bytes(what: &str, bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let steers = |letter: &char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t')) || *letter == '\u{202e}'
    };
    assert_eq!(text.chars().find(steers), None, "{what}: {text:?}");
}

fn check(what: &str, told: &Assert) {
    check_bytes(what, &told.get_output().stdout);
    check_bytes(what, &told.get_output().stderr);
}

/// A finished run whose log and configuration were written by someone.
fn hostile(folder: &Path) {
    koala(folder)
        .args(["train", "--quiet", "--out=run", "--max-steps=3"])
        .assert()
        .success();
    let run = folder.join("run");
    fs::remove_file(run.join("manifest.json")).unwrap();
    for name in ["config.toml", "events.jsonl", "result.json"] {
        let changed = text(&run.join(name))
            .replace("koala-a", WRITTEN)
            .replace("\"mlp\"", &format!("\"{WRITTEN}\""));
        fs::write(run.join(name), changed).unwrap();
    }
}

#[test]
fn logs_and_configurations_of_others_steer_no_terminal_and_no_page() {
    let here = tempdir().unwrap();
    hostile(here.path());
    for command in [
        &["watch", "run", "--once"][..],
        &["watch", "run", "--json"],
        &["watch", ".", "--once"],
        &["report", "run"],
        &["report", "run", "--json"],
        &["check", "run"],
        &["check", "run", "--json"],
        &["train", "--resume=run"],
    ] {
        let told = koala(here.path()).args(command).assert();
        check(&command.join(" "), &told);
        let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
        if command[0] == "watch" && command[1] == "run" {
            assert!(told.contains("red"), "{command:?}: {told}");
        }
    }
    for entry in fs::read_dir(here.path().join("run/report")).unwrap() {
        let path = entry.unwrap().path();
        check_bytes(&path.display().to_string(), &fs::read(&path).unwrap());
    }
    let page = text(&here.path().join("run/report/report.html"));
    assert!(page.contains("\\u{1b}[31mred"), "what it says is seen");
}

#[test]
fn failures_keys_paths_and_suites_of_others_steer_no_terminal() {
    let here = tempdir().unwrap();
    hostile(here.path());
    let run = here.path().join("run");
    fs::remove_file(run.join("result.json")).unwrap();
    fs::write(
        run.join("failure.json"),
        format!("{{\"message\": \"{WRITTEN}\", \"version\": \"0\"}}"),
    )
    .unwrap();
    check(
        "failure",
        &koala(here.path()).args(["watch", "run", "--once"]).assert(),
    );
    check(
        "failures",
        &koala(here.path()).args(["watch", ".", "--once"]).assert(),
    );
    fs::write(here.path().join("a.toml"), format!("\"{WRITTEN}\" = 1\n")).unwrap();
    fs::write(here.path().join("b.toml"), format!("name = \"{WRITTEN}\"\nseeds = [1]\noptimizers = [\"{WRITTEN}\"]\n[[workload]]\nname = \"{WRITTEN}\"\n")).unwrap();
    fs::write(here.path().join("c.toml"), format!("a = {HOSTILE}\n")).unwrap();
    for command in [
        &["train", "--config=a.toml"][..],
        &["train", "--config=c.toml"],
        &["compare", "a.toml"],
        &["compare", "b.toml"],
        &["compare", "c.toml"],
        &["train", "--recipe", HOSTILE],
        &["train", "--config", HOSTILE],
        &["train", "--optimizer", HOSTILE],
        &["train", "--resume", HOSTILE],
        &["report", HOSTILE],
        &["replay", HOSTILE],
        &["replay", "--json", HOSTILE],
        &["data", "check", "table", "--file", HOSTILE, "--label=a"],
    ] {
        let told = koala(here.path()).args(command).assert().failure();
        check(&command.join(" "), &told);
    }
    fs::create_dir(here.path().join(HOSTILE)).unwrap();
    let out = format!("--out={HOSTILE}/run");
    let told = koala(here.path())
        .args(["train", "--max-steps=3", &out])
        .assert()
        .success();
    check("a folder", &told);
    check(
        "a folder",
        &koala(here.path())
            .args(["watch", HOSTILE, "--once"])
            .assert()
            .success(),
    );
}

#[test]
fn characters_of_a_text_of_others_are_seen_and_told() {
    let here = tempdir().unwrap();
    let lines = "a line of plain text, and another one\n".repeat(30);
    fs::write(here.path().join("a.txt"), format!("{lines}{HOSTILE}\n")).unwrap();
    let own = ["--file=a.txt", "--window=8"];
    let small = [
        "--layers=1",
        "--hidden=4",
        "--batch-size=4",
        "--max-steps=2",
    ];
    let train = [&["train", "--dataset=text", "--out=run"], &own[..], &small].concat();
    for command in [
        &train[..],
        &["data", "check", "text", own[0]],
        &["data", "check", "text", own[0], "--json"],
        &["report", "run"],
    ] {
        let told = koala(here.path()).args(command).assert().success();
        check(&command.join(" "), &told);
        let output = told.get_output();
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        let all = String::from_utf8(all).unwrap();
        let is_told = all.contains("4 control characters ('U+0007', 'U+001B', 'U+009B')");
        assert!(is_told || command[0] == "report", "{command:?}: {all}");
    }
    for file in ["data.json", "events.jsonl", "result.json"] {
        check_bytes(file, &fs::read(here.path().join("run").join(file)).unwrap());
    }
    // What it has learned from is what the file holds.
    let note = text(&here.path().join("run/data.json"));
    let note: serde_json::Value = serde_json::from_str(&note).unwrap();
    let letters = note["preparation"]["characters"].as_array().unwrap();
    assert!(
        ["\u{1b}", "\u{9b}", "\u{202e}"]
            .map(Into::into)
            .iter()
            .all(|it| letters.contains(it))
    );
}
