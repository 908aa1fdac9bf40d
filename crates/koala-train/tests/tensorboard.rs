//! Event files of real runs, read by TensorBoard itself.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use koala_train::run::{Override, RunConfig, RunFolder, TensorBoard, Value};
use koala_train::training::{Interrupt, Silent, Status};

/// Runs a configuration in a folder, for TensorBoard too; the file's name and size.
fn run(folder: &Path, overrides: &[(&str, Value)]) -> (Result<Status, String>, u64) {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|(key, value)| Override::new(*key, value.clone()))
        .collect();
    let config = RunConfig::resolve(None, &overrides).unwrap();
    let run = RunFolder::take(folder, false).unwrap();
    let file = folder.join(TensorBoard::FILE_NAME);
    let outcome = run
        .execute(&config, &mut Silent, &Interrupt::default())
        .map(|outcome| outcome.result.status)
        .map_err(|error| error.to_string());
    (outcome, file.metadata().unwrap().len())
}

/// Has TensorBoard's reader compare the event file with the event log, if there is a Python with it.
fn read(folder: &Path) -> Option<String> {
    let Some(python) = std::env::var_os("KOALA_PYTHON") else {
        // Not with a macro: the test harness keeps what those print to itself when a test passes.
        let warning = "SKIPPED: TensorBoard's reader; set KOALA_PYTHON to a Python with the package tensorboard\n";
        std::io::stderr().write_all(warning.as_bytes()).unwrap();
        return None;
    };
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard/read.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap_or_else(|error| panic!("KOALA_PYTHON={}: {error}", python.display()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tensorboard_reads_the_numbers_of_the_log() {
    for (optimizer, model, every) in [
        ("koala-m", "mlp", 1),
        ("koala-v", "cnn", 10),
        ("koala-a", "mlp", 4),
        ("koala-pp", "mlp", 7),
        ("sgd", "mlp", 10),
        ("koala-m", "dcgan", 3),
        ("adam", "dcgan", 10),
    ] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let (status, _) = run(
            &folder,
            &[
                ("optimizer.name", optimizer.into()),
                ("model.name", model.into()),
                ("log-every", every.into()),
                ("train-limit", 640.into()),
                ("epochs", 2.into()),
            ],
        );
        assert_eq!(status, Ok(Status::Completed));
        if let Some(said) = read(&folder) {
            assert!(said.contains(" curves of "), "{said}");
            assert!(said.contains(" 0 of them not finite"), "{said}");
        }
    }
}

#[test]
fn tensorboard_reads_a_run_that_diverges() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("run");
    let (status, _) = run(
        &folder,
        &[
            ("optimizer.name", "koala-v".into()),
            ("optimizer.gain", 1e30.into()),
            ("log-every", 1.into()),
            ("missing-limit", 5.into()),
        ],
    );
    let error = status.unwrap_err();
    if let Some(said) = read(&folder) {
        assert!(!said.contains(" 0 of them not finite"), "{error}: {said}");
        assert!(!said.contains(" 0 missing measurements"), "{error}: {said}");
        assert!(said.contains(" 1 failures"), "{error}: {said}");
    }
}

#[test]
fn tensorboard_reads_on_where_a_run_was_cut() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("run");
    let short = [("log-every", 1.into()), ("max-steps", 8.into())];
    let (status, size) = run(&folder, &short);
    assert_eq!(status, Ok(Status::Completed));
    // A crash in the middle of a record, after the checkpoint.
    let file = folder.join(TensorBoard::FILE_NAME);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_within(..size as usize / 2);
    std::fs::write(&file, &bytes).unwrap();
    let config = RunConfig::resolve(None, &[]).unwrap();
    let mut board = TensorBoard::append(&file, size, &config).unwrap();
    assert_eq!(board.position().unwrap(), size);
    read(&folder);
}
