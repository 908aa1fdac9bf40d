//! Programs that are killed at moments nobody chose.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use koala_data::{DatasetName, sample};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tempfile::tempdir;

use crate::common::{finished, koala};

/// Kills of each run, at least.
const KILLS: u32 = 8;

/// A program that trains in `folder`: anew as long as there is no configuration in its run, else on from where it was.
fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("koala"));
    command.current_dir(folder).args(["train", "--quiet"]);
    if folder.join("run/config.toml").exists() {
        command.args(["--resume", "run"]);
    } else {
        command
            .args(arguments)
            .args(["--out", "run", "--overwrite"]);
    }
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Kills a run again and again until it is complete, each session at a moment between its start and the time that the whole
/// run takes. The number of kills.
fn killed(arguments: &[&str], seed: u64) -> u32 {
    let here = tempdir().unwrap();
    let text = sample::write(DatasetName::Text, here.path(), 40, 1).unwrap();
    assert!(text.unwrap().ends_with("text.txt"));
    let begun = Instant::now();
    koala(here.path())
        .args(["train", "--quiet", "--out", "whole"])
        .args(arguments)
        .assert()
        .success();
    let whole = begun.elapsed();

    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut kills = 0;
    loop {
        let mut child = start(here.path(), arguments);
        // The first sessions end early, in start-up too; later ones come further.
        let share = f64::from(generator.next_u32()) / f64::from(u32::MAX);
        let most = if kills < KILLS { 0.7 } else { 3.0 };
        sleep(whole.mul_f64(share * most) + Duration::from_millis(1));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "seed {seed}: {status}");
            if kills >= KILLS {
                break;
            }
            // Complete too soon: once more from the beginning.
            std::fs::remove_dir_all(here.path().join("run")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let found = finished(&here.path().join("run"));
    found.assert_equal(
        &finished(&here.path().join("whole")),
        &format!("seed {seed}"),
    );
    kills
}

#[test]
fn a_run_that_is_killed_at_any_moment_goes_on_to_the_same_bits() {
    let cnn = [
        "--model=cnn",
        "--channels=4,6",
        "--augment=crop-flip",
        "--train-limit=300",
        "--epochs=6",
        "--log-every=3",
        "--checkpoint-every=1",
    ];
    let lstm = [
        "--dataset=text",
        "--file=text.txt",
        "--window=20",
        "--batch-size=4",
        "--model=lstm",
        "--hidden=16",
        "--optimizer=koala-pp",
        "--lookahead-every=4",
        "--epochs=4",
        "--checkpoint-every=2",
    ];
    let mlp = [
        "--optimizer=adam",
        "--average=ema",
        "--validation=100",
        "--evaluate-every=7",
        "--epochs=4",
        "--checkpoint-every=5",
        "--keep-checkpoints=1",
    ];
    let kills = killed(&cnn, 1) + killed(&lstm, 2) + killed(&mlp, 3);
    assert!(kills >= 20, "{kills} kills");
}
