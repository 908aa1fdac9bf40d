//! Data of one's own in the program, from outside: folders of pictures, IDX files and tables.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod faults;
mod learn;
mod resume;

use std::path::Path;

use assert_cmd::assert::Assert;
use common::koala;
use koala_data::{DatasetName, sample};

/// `photos`: pictures of 16 x 16 in four classes; `idx`: those of 12 x 12 in five; `animals.csv`.
fn made() -> tempfile::TempDir {
    let here = tempfile::tempdir().unwrap();
    sample::write_image_folder(&here.path().join("photos"), 120, 16, 0).unwrap();
    sample::write(DatasetName::Idx, &here.path().join("idx"), 150, 0).unwrap();
    sample::write_table(here.path(), 240, 0).unwrap();
    here
}

/// What stands for each kind of data on the command line: pictures, IDX files, classes and numbers of a table.
const KINDS: [&[&str]; 4] = [
    &["--dataset", "images", "--data-dir", "photos"],
    &["--dataset", "idx", "--data-dir", "idx"],
    &[
        "--dataset",
        "table",
        "--file",
        "animals.csv",
        "--label",
        "animal",
        "--ignore",
        "leaves_g",
    ],
    &[
        "--dataset",
        "table",
        "--file",
        "animals.csv",
        "--label",
        "leaves_g",
    ],
];

fn train(here: &Path, arguments: &[&[&str]]) -> Assert {
    let mut command = koala(here);
    command.arg("train");
    arguments.iter().for_each(|some| {
        command.args(*some);
    });
    command.assert()
}
