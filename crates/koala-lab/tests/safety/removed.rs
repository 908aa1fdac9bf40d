//! A run whose folder goes away while it is trained says so.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::tempdir;

/// Trains without an end in sight, does something to the folder once there is a log, and gives the exit code and what was said.
fn told(folder: &Path, change: impl Fn(&Path)) -> (Option<i32>, String) {
    let program = assert_cmd::cargo::cargo_bin!("koala");
    let child = Command::new(program)
        .current_dir(folder)
        .args([
            "train",
            "--quiet",
            "--out=run",
            "--epochs=100000",
            "--log-every=1",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = folder.join("run");
    while fs::metadata(run.join("events.jsonl")).map_or(0, |log| log.len()) < 1000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    change(&run);
    let ended = child.wait_with_output().unwrap();
    (
        ended.status.code(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

#[test]
fn a_folder_that_is_deleted_moved_or_replaced_ends_the_run_with_an_error() {
    let gone = |path: &Path| while fs::remove_dir_all(path).is_err() {};
    let moved = |path: &Path| fs::rename(path, path.with_file_name("moved")).unwrap();
    let replaced = |path: &Path| {
        fs::rename(path, path.with_file_name("moved")).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join(".lock"), "").unwrap();
    };
    let folder = "run: the run's folder, or the lock in it, was removed or moved";
    // Files go one by one: a step between the log and the lock finds the log gone.
    let log = "events.jsonl: cannot write: it was removed";
    let changes: [&dyn Fn(&Path); 3] = [&gone, &moved, &replaced];
    for (at, change) in changes.into_iter().enumerate() {
        let words = if at == 0 {
            &[folder, log][..]
        } else {
            &[folder]
        };
        let here = tempdir().unwrap();
        let (code, text) = told(here.path(), change);
        assert_eq!(code, Some(1), "{text}");
        assert!(words.iter().any(|words| text.contains(words)), "{text}");
        // Nothing was made anew in its place.
        let run = here.path().join("run");
        assert!(!run.join("checkpoints").exists() && !run.join("result.json").exists());
    }
}

#[test]
fn a_log_that_is_deleted_ends_the_run_with_an_error() {
    let here = tempdir().unwrap();
    let (code, text) = told(here.path(), |run| {
        fs::remove_file(run.join("events.jsonl")).unwrap()
    });
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("events.jsonl: cannot write: it was removed"),
        "{text}"
    );
}
