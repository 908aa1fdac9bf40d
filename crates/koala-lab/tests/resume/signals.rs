//! Ctrl-C, and `kill`.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::tempdir;

use crate::common::{checkpoints, finished, koala, koala_for_signals, stderr, text};

const TASK: [&str; 4] = [
    "--epochs=40",
    "--train-limit=640",
    "--model=cnn",
    "--channels=4,4",
];

struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = koala_for_signals()
            .current_dir(folder)
            .arg("train")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Waits for a line that begins so.
    fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.starts_with(words) {
            line.clear();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "no {words}");
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// The exit code and what else was said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

#[test]
fn a_signal_finishes_the_step_and_keeps_a_checkpoint() {
    let here = tempdir().unwrap();
    koala(here.path())
        .args(["train", "--quiet", "--out", "whole"])
        .args(TASK)
        .assert()
        .success();
    let expected = finished(&here.path().join("whole"));
    for signal in ["-INT", "-TERM"] {
        let run = format!("a run{signal}");
        let folder = here.path().join(&run);
        let mut program = Program::start(here.path(), &[&TASK[..], &["--out", &run]].concat());
        program.wait_for("epoch   1/40");
        program.signal(signal);
        let (code, said) = program.end();
        assert_eq!(code, Some(130), "{signal}");
        let last: Vec<&str> = said.lines().rev().take(2).collect();
        assert_eq!(last[0], format!("go on with: koala train --resume '{run}'"));
        assert!(last[1].starts_with("stopped after "), "{said}");
        assert_eq!(checkpoints(&folder).len(), 1);
        let result = text(&folder.join("result.json"));
        assert!(result.contains(r#""status": "interrupted""#), "{result}");
        assert!(folder.join("model.safetensors").is_file());

        // Stopped once more as soon as it goes on.
        let mut program = Program::start(here.path(), &["--resume", &run]);
        program.wait_for("goes on after ");
        program.signal(signal);
        assert_eq!(program.end().0, Some(130), "{signal}");
        koala(here.path())
            .args(["train", "--quiet", "--resume", &run])
            .assert()
            .success();
        finished(&folder).assert_equal(&expected, signal);
    }
}

/// A step that takes long enough to be met by two signals.
const SLOW: [&str; 4] = [
    "--model=resnet18",
    "--batch-size=400",
    "--out=run",
    "--epochs=9",
];

#[test]
fn a_second_signal_leaves_at_once() {
    let here = tempdir().unwrap();
    let mut program = Program::start(here.path(), &SLOW);
    program.wait_for("digits, ");
    program.signal("-INT");
    sleep(Duration::from_millis(100));
    program.signal("-INT");
    let (code, said) = program.end();
    // The first alone would have had the step finished, a checkpoint made and the way on printed.
    assert_eq!((code, said.as_str()), (Some(130), ""));
    assert!(!here.path().join("run/checkpoints").exists());
    assert!(!here.path().join("run/result.json").exists());
}

/// As shells without job control start what stands before `&`, and as `nohup` starts it.
#[test]
fn a_run_in_the_background_keeps_a_checkpoint_when_it_is_asked_to_end() {
    for ignored in ["INT QUIT", "HUP", "INT QUIT HUP"] {
        let here = tempdir().unwrap();
        let script = format!(
            r#"
            trap '' {ignored}
            "$0" train --epochs=4000 --out=run &
            while ! grep -q '"epoch":1,' run/events.jsonl; do sleep 0.01; done 2>/dev/null
            for name in {ignored}; do kill -$name $!; done
            sleep 0.2
            kill -0 $! || exit 99
            kill -TERM $!
            wait $!
            "#
        );
        let output = Command::new("sh")
            .current_dir(here.path())
            .args(["-c", &script])
            .arg(assert_cmd::cargo::cargo_bin!("koala"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(130), "{ignored}: {said}");
        let run = here.path().join("run");
        assert_eq!(checkpoints(&run).len(), 1, "{ignored}");
        let result = text(&run.join("result.json"));
        assert!(result.contains(r#""status": "interrupted""#), "{result}");
    }
}

#[test]
fn a_run_that_ignores_the_hangup_of_its_terminal_goes_on() {
    let here = tempdir().unwrap();
    let script = r#"
        trap '' HUP
        "$0" train --epochs=30 --out=run &
        while ! [ -s run/events.jsonl ]; do sleep 0.01; done
        kill -HUP $!
        wait $!
    "#;
    let mut shell = Command::new("sh")
        .current_dir(here.path())
        .args(["-c", script])
        .arg(assert_cmd::cargo::cargo_bin!("koala"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = shell.stdout.take().unwrap();
    out.read_to_string(&mut said).unwrap();
    assert!(shell.wait().unwrap().success(), "{said}");
    finished(&here.path().join("run"));
}

#[test]
fn a_run_that_another_program_is_at_is_left_to_it() {
    let here = tempdir().unwrap();
    let mut program = Program::start(here.path(), &["--epochs=100000", "--out=run"]);
    program.wait_for("epoch ");
    // It is refused before its data are read: that they cannot be had is not what is told.
    let config = here.path().join("run/config.toml");
    let elsewhere = "name = \"fashion-mnist\"\ndata-dir = \"nowhere\"";
    let changed = text(&config).replace("name = \"digits\"", elsewhere);
    assert!(changed.contains(elsewhere));
    std::fs::write(&config, changed).unwrap();
    for arguments in [&["--resume=run"][..], &["--out=run", "--overwrite"]] {
        let refused = koala(here.path())
            .arg("train")
            .args(arguments)
            .assert()
            .code(1);
        assert_eq!(
            stderr(&refused),
            "error: run: another program is training this run; wait for it or stop it\n"
        );
    }
    program.child.kill().unwrap();
    program.end();
}
