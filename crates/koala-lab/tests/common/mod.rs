//! What the tests of the program share.

#![allow(dead_code)]

use std::path::Path;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

/// The program, in a folder, with a terminal's settings kept out.
pub fn koala(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("koala"));
    command
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env("COLUMNS", "100");
    command
}

/// The program with signals as a terminal's shell leaves them, whatever was ignored when these tests were started (under
/// `nohup`, or in the background of a script, hangups and Ctrl-C are).
pub fn koala_for_signals() -> std::process::Command {
    let program = assert_cmd::cargo::cargo_bin!("koala");
    let reset = "--default-signal=INT,TERM,HUP";
    let known = std::process::Command::new("env")
        .args([reset, "true"])
        .stderr(std::process::Stdio::null())
        .status();
    if known.is_ok_and(|status| status.success()) {
        let mut command = std::process::Command::new("env");
        command.arg(reset).arg(program);
        command
    } else {
        std::process::Command::new(program)
    }
}

/// What it wrote to the standard output, numbers that depend on the machine masked.
pub fn stdout(assert: &Assert) -> String {
    mask(&String::from_utf8(assert.get_output().stdout.clone()).unwrap())
}

/// What it wrote to the standard error.
pub fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The standard output, read as JSON.
pub fn json(assert: &Assert) -> serde_json::Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

/// A file as text.
pub fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// Replaces every number with a decimal point: losses, errors and seconds differ between machines.
fn mask(text: &str) -> String {
    let mut masked = String::new();
    for (i, word) in text.split(' ').enumerate() {
        if i > 0 {
            masked.push(' ');
        }
        let measured = word.contains('.') && word.parse::<f64>().is_ok();
        masked.push_str(if measured { "#" } else { word });
    }
    masked
}

/// What a run folder holds, without what differs between two runs of the same configuration.
#[derive(Debug, PartialEq)]
pub struct Run {
    weights: Vec<Vec<u8>>,
    result: serde_json::Value,
    events: Vec<serde_json::Value>,
}

/// Reads a run that is complete.
pub fn finished(folder: &Path) -> Run {
    let json = |text: &str| {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        let table = value.as_object_mut().unwrap();
        table.retain(|key, _| !key.ends_with("seconds"));
        value
    };
    let result = json(&text(&folder.join("result.json")));
    assert_eq!(result["status"], "completed");
    let events = text(&folder.join("events.jsonl"));
    Run {
        weights: ["model.safetensors", "best.safetensors"]
            .map(|name| std::fs::read(folder.join(name)).unwrap())
            .to_vec(),
        result,
        events: events.lines().map(json).collect(),
    }
}

impl Run {
    /// Panics if the other differs in anything.
    pub fn assert_equal(&self, other: &Self, what: &str) {
        assert_eq!(self.result, other.result, "{what}");
        assert_eq!(self.events, other.events, "{what}");
        assert!(self.weights == other.weights, "{what}: other weights");
    }
}

/// Takes a complete run back to where it would be, had it been killed after its last checkpoint but one.
pub fn take_back(folder: &Path) {
    std::fs::remove_file(folder.join("result.json")).unwrap();
    std::fs::remove_file(folder.join("model.safetensors")).unwrap();
    std::fs::remove_dir_all(checkpoints(folder).pop().unwrap()).unwrap();
}

/// The checkpoints of a run, the newest last.
pub fn checkpoints(folder: &Path) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(folder.join("checkpoints")).unwrap();
    let mut all: Vec<_> = all
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .collect();
    all.sort();
    all
}
