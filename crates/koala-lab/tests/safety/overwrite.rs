//! `--overwrite` replaces a run, and nothing else.

use std::fs;

use tempfile::tempdir;

use crate::common::{koala, stderr};

const TRAIN: [&str; 6] = [
    "train",
    "--quiet",
    "--max-steps=3",
    "--out=run",
    "--overwrite",
    "--validation=50",
];

#[test]
fn what_is_no_runs_is_named_and_stays() {
    for other in [
        "checkpoints/llama/model.pt",
        "model.safetensors",
        "samples/holiday.png",
        "notes.txt",
    ] {
        let here = tempdir().unwrap();
        let file = here.path().join("run").join(other);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "precious").unwrap();
        let refused = koala(here.path()).args(TRAIN).assert().code(1);
        let told = stderr(&refused);
        assert!(told.contains("this is no part of a run"), "{other}: {told}");
        assert!(
            told.contains(other.split('/').next().unwrap()),
            "{other}: {told}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious", "{other}");
    }
}

#[test]
fn a_run_with_all_its_files_and_its_report_is_replaced() {
    let here = tempdir().unwrap();
    for _ in 0..2 {
        koala(here.path()).args(TRAIN).assert().success();
        koala(here.path())
            .args(["report", "run", "--quiet", "--formats=html,svg"])
            .assert()
            .success();
        assert!(here.path().join("run/report/report.html").is_file());
    }
    koala(here.path()).args(TRAIN).assert().success();
    // The report was of the run before.
    assert!(!here.path().join("run/report").exists());
    koala(here.path()).args(["check", "run"]).assert().success();
}
