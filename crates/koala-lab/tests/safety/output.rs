//! Output that is lost is an error; a reader that has had enough is none.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::tempdir;

use crate::common::koala;

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("koala"));
    command
        .current_dir(folder)
        .args(arguments)
        .stderr(Stdio::piped());
    command
}

const COMMANDS: [&[&str]; 16] = [
    &["train", "--max-steps=3"],
    &["train", "--max-steps=3", "--json"],
    &["train", "--resume=run"],
    &["compare", "--optimizers=sgd", "--epochs=1", "--out=suite"],
    &[
        "compare",
        "--optimizers=sgd",
        "--epochs=1",
        "--out=suite",
        "--json",
    ],
    &["report", "run"],
    &["report", "run", "--json"],
    &["watch", "run", "--once"],
    &["watch", "run", "--json"],
    &["check", "run"],
    &["check", "run", "--json"],
    &["data", "list"],
    &["data", "list", "--json"],
    &["data", "check", "digits"],
    &["recipes"],
    &["--help"],
];

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_every_command() {
    let here = tempdir().unwrap();
    koala(here.path())
        .args(["train", "--quiet", "--out=run", "--max-steps=3"])
        .assert()
        .success();
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/trajectories");
    let recording = std::fs::read_dir(recordings)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let recording = recording
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    let recording = recording.unwrap().display().to_string();
    let replay = ["replay", &recording];
    for arguments in COMMANDS.into_iter().chain([&replay[..]]) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let told = program(here.path(), arguments)
            .stdout(full)
            .output()
            .unwrap();
        let text = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(
            text.contains("standard output: cannot be written"),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn a_reader_that_has_gone_away_is_none() {
    let here = tempdir().unwrap();
    koala(here.path())
        .args(["train", "--quiet", "--out=run", "--max-steps=3"])
        .assert()
        .success();
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let told = program(here.path(), arguments)
            .stdout(writer)
            .output()
            .unwrap();
        let text = String::from_utf8(told.stderr).unwrap();
        assert_eq!(
            (told.status.code(), text.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
