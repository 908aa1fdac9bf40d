//! Nothing is written through a link.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::common::{koala, stderr, take_back};

/// A run that was killed, with a link to someone's file in the place of one of its own.
fn linked(name: &str) -> TempDir {
    let here = tempdir().unwrap();
    koala(here.path())
        .args([
            "train",
            "--quiet",
            "--out=run",
            "--max-steps=30",
            "--checkpoint-every=25",
        ])
        .assert()
        .success();
    let run = here.path().join("run");
    take_back(&run);
    let place = run.join(name);
    if place.is_dir() {
        fs::rename(&place, here.path().join("elsewhere")).unwrap();
        symlink(here.path().join("elsewhere"), &place).unwrap();
    } else {
        let _ = fs::remove_file(&place);
        fs::write(here.path().join("precious"), "precious\n".repeat(10_000)).unwrap();
        symlink(here.path().join("precious"), &place).unwrap();
    }
    here
}

fn is_whole(folder: &Path) -> bool {
    fs::read_to_string(folder.join("precious")).unwrap() == "precious\n".repeat(10_000)
}

#[test]
fn logs_and_locks_that_are_links_are_refused_by_name() {
    for name in ["events.jsonl", "events.out.tfevents.koala", ".lock"] {
        let here = linked(name);
        let refused = koala(here.path())
            .args(["train", "--resume=run", "--quiet"])
            .assert()
            .code(1);
        let told = stderr(&refused);
        assert!(
            told.contains(name) && told.contains("it is a link"),
            "{name}: {told}"
        );
        assert!(is_whole(here.path()), "{name}");
        let refused = koala(here.path())
            .args(["train", "--out=run", "--overwrite", "--quiet"])
            .assert()
            .code(1);
        assert!(
            stderr(&refused).contains(name),
            "{name}: {}",
            stderr(&refused)
        );
        assert!(is_whole(here.path()), "{name}");
    }
}

#[test]
fn whole_files_take_the_place_of_links() {
    for name in [
        "model.safetensors",
        ".model.safetensors.part",
        "result.json",
        ".result.json.part",
        "best.safetensors",
        "manifest.json",
    ] {
        let here = linked(name);
        let gone_on = koala(here.path())
            .args(["train", "--resume=run", "--quiet"])
            .assert();
        assert!(is_whole(here.path()), "{name}");
        if name != "best.safetensors" {
            gone_on.success();
            let place = here.path().join("run").join(name);
            assert!(!place.is_symlink(), "{name}");
        }
    }
}

#[test]
fn a_folder_of_checkpoints_elsewhere_is_not_written_into() {
    let here = linked("checkpoints");
    let before = fs::read_dir(here.path().join("elsewhere")).unwrap().count();
    let refused = koala(here.path())
        .args(["train", "--resume=run", "--quiet"])
        .assert()
        .code(1);
    assert!(
        stderr(&refused).contains("it is a link"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(
        fs::read_dir(here.path().join("elsewhere")).unwrap().count(),
        before
    );
}

#[test]
fn reports_and_suites_write_through_no_link_either() {
    let here = tempdir().unwrap();
    koala(here.path())
        .args(["train", "--quiet", "--out=run", "--max-steps=3"])
        .assert()
        .success();
    fs::create_dir(here.path().join("elsewhere")).unwrap();
    symlink(
        here.path().join("elsewhere"),
        here.path().join("run/report"),
    )
    .unwrap();
    let refused = koala(here.path()).args(["report", "run"]).assert().code(1);
    assert!(
        stderr(&refused).contains("it is a link"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(
        fs::read_dir(here.path().join("elsewhere")).unwrap().count(),
        0
    );
    // What someone names may be a link: it is theirs. A report's files are not.
    fs::write(here.path().join("precious"), "precious").unwrap();
    symlink(
        here.path().join("precious"),
        here.path().join("elsewhere/.report.html.part"),
    )
    .unwrap();
    symlink(
        here.path().join("precious"),
        here.path().join("elsewhere/report.md"),
    )
    .unwrap();
    koala(here.path())
        .args(["report", "run", "--out=run/report", "--quiet"])
        .assert()
        .success();
    assert_eq!(
        fs::read_to_string(here.path().join("precious")).unwrap(),
        "precious"
    );
    fs::create_dir(here.path().join("suite")).unwrap();
    symlink(
        here.path().join("precious"),
        here.path().join("suite/.lock"),
    )
    .unwrap();
    let refused = koala(here.path())
        .args(["compare", "--optimizers=sgd", "--epochs=1", "--out=suite"])
        .assert()
        .code(1);
    assert!(
        stderr(&refused).contains("it is a link"),
        "{}",
        stderr(&refused)
    );
}
