//! What `koala train --resume` says when there is something to say.

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use tempfile::tempdir;

use crate::common::{Run, checkpoints, finished, json, koala, stderr, stdout, take_back, text};

/// A complete run of 30 steps with checkpoints after 25 and 30, in `run`.
fn complete(folder: &Path) -> Run {
    koala(folder)
        .args(["train", "--quiet", "--out=run", "--max-steps=30"])
        .args(["--checkpoint-every=5", "--log-every=100"])
        .assert()
        .success();
    let run = folder.join("run");
    assert_eq!(checkpoints(&run).len(), 2);
    finished(&run)
}

fn resume(folder: &Path, more: &[&str]) -> Assert {
    koala(folder)
        .args(["train", "--resume=run"])
        .args(more)
        .assert()
}

fn damage(checkpoint: &Path) {
    let file = checkpoint.join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_complete_run_is_left_as_it_is() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let stored = text(&here.path().join("run/result.json"));
    let told = resume(here.path(), &[]).success();
    assert_eq!(stdout(&told), "run: the run is complete\n");
    let told = json(&resume(here.path(), &["--json"]).success());
    let stored_value: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(told, stored_value);
    let told = resume(here.path(), &["--quiet"]).success();
    assert_eq!((stdout(&told), stderr(&told)), Default::default());
    assert_eq!(text(&here.path().join("run/result.json")), stored);
    finished(&here.path().join("run")).assert_equal(&expected, "left as it was");
}

#[test]
fn every_fault_is_told_with_its_remedy() {
    let here = tempdir().unwrap();
    complete(here.path());
    fs::create_dir(here.path().join("empty")).unwrap();
    let mut all = String::new();
    let mut fails = |arguments: &[&str], code: i32| {
        let assert = koala(here.path())
            .arg("train")
            .args(arguments)
            .assert()
            .code(code);
        assert_eq!(stdout(&assert), "");
        let arguments = arguments.join(" ");
        all += &format!("$ koala train {arguments}\n{}\n", stderr(&assert));
    };
    fails(&["--resume=nowhere"], 1);
    fails(&["--resume=empty"], 1);
    fails(&["--resume=run", "--epochs=3"], 2);
    fails(&["--resume=run", "--optimizer=sgd", "--lr=1"], 2);
    fails(&["--resume=run", "--checkpoint-every=3"], 2);
    fails(&["--resume=run", "--seed=3"], 2);
    fails(&["--resume=run", "--device=vulkan"], 2);
    fails(&["--resume=run", "--recipe=digits-mlp"], 2);
    let run = here.path().join("run");
    take_back(&run);
    damage(&checkpoints(&run)[0]);
    fails(&["--resume=run"], 1);
    let config = run.join("config.toml");
    let whole = text(&config);
    fs::write(&config, whole.replace("epochs = ", "epoch = ")).unwrap();
    fails(&["--resume=run"], 2);
    fs::write(&config, &whole[..whole.len() / 2]).unwrap();
    fails(&["--resume=run"], 2);
    fs::remove_file(&config).unwrap();
    fails(&["--resume=run"], 1);
    insta::assert_snapshot!(all);
}

/// A run goes on where it was begun: its configuration says on what, and one from before there were devices means the
/// processor.
#[test]
fn a_run_goes_on_on_its_own_device() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let run = here.path().join("run");
    let config = run.join("config.toml");
    let stored = text(&config);
    let on_cpu = "device = \"cpu\"\n";
    assert!(stored.contains(on_cpu), "{stored}");

    take_back(&run);
    fs::write(&config, stored.replace(on_cpu, "device = \"gpu\"\n")).unwrap();
    let refused = resume(here.path(), &[]).code(2);
    assert!(stderr(&refused).contains("device: no device is called 'gpu'"));

    fs::write(&config, stored.replace(on_cpu, "")).unwrap();
    resume(here.path(), &["--quiet"]).success();
    fs::write(&config, stored).unwrap();
    finished(&run).assert_equal(&expected, "from before there were devices");
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let run = here.path().join("run");
    fs::remove_file(run.join("result.json")).unwrap();
    damage(&checkpoints(&run)[1]);
    let assert = resume(here.path(), &[]).success();
    insta::assert_snapshot!(stderr(&assert));
    assert!(stdout(&assert).contains("\ngoes on after 25 steps\n"));
    finished(&run).assert_equal(&expected, "after a damaged checkpoint");
}

#[test]
fn lost_logs_are_told_of() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let run = here.path().join("run");
    take_back(&run);
    fs::remove_file(run.join("events.out.tfevents.koala")).unwrap();
    let assert = resume(here.path(), &["--quiet"]).success();
    insta::assert_snapshot!(stderr(&assert));
    finished(&run).assert_equal(&expected, "after a lost log");
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_again() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let run = here.path().join("run");
    fs::remove_file(run.join("result.json")).unwrap();
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let assert = resume(here.path(), &[]).success();
    assert_eq!(stderr(&assert), "");
    assert!(!stdout(&assert).contains("goes on after"));
    finished(&run).assert_equal(&expected, "from the beginning");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_checkpoint_before() {
    let here = tempdir().unwrap();
    let expected = complete(here.path());
    let run = here.path().join("run");
    take_back(&run);
    // A limit on the size of a file, in blocks of 512 bytes, stands for the full disk: a network does not fit.
    let script = r#"trap '' XFSZ; ulimit -f 60; exec "$0" train --quiet --resume=run"#;
    let limited = assert_cmd::Command::new("sh")
        .current_dir(here.path())
        .args(["-c", script])
        .arg(assert_cmd::cargo::cargo_bin!("koala"))
        .assert()
        .code(1);
    let told = stderr(&limited);
    assert!(told.starts_with("error: run/"), "{told}");
    assert!(told.contains(": cannot write: File too large"), "{told}");
    assert_eq!(checkpoints(&run).len(), 1);
    let left: Vec<_> = fs::read_dir(run.join("checkpoints")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half-written");
    resume(here.path(), &["--quiet"]).success();
    finished(&run).assert_equal(&expected, "after a full disk");
}
