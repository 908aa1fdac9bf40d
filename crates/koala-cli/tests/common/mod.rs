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
