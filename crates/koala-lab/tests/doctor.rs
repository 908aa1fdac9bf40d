//! `koala doctor`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;

use common::koala;
use serde_json::Value;

#[test]
fn this_machine_is_well_in_words_and_as_json() {
    let here = tempfile::tempdir().unwrap();
    let told = koala(here.path()).arg("doctor").assert().success();
    let told = String::from_utf8(told.get_output().stdout.clone()).unwrap();
    for line in [
        "well    disk: ",
        "well    the same run twice: 20 steps gave the same bits",
        "well    one thread and two: 20 steps gave the same bits",
        "well    stopped and gone on: stopped after 11 of 20 steps",
        "This machine keeps what Koala promises.",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let told = koala(here.path())
        .args(["doctor", "--json", "--out", "new/folder"])
        .assert()
        .success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(told["wrong"], 0);
    assert_eq!(told["findings"][0]["what"], "disk");
    assert_eq!(told["findings"][0]["state"], "well");
    assert_eq!(
        fs::read_dir(here.path().join("new/folder"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn what_is_wrong_is_told_with_what_to_do_and_is_no_success() {
    let here = tempfile::tempdir().unwrap();
    // A link of the folder's name: nothing is written through it.
    #[cfg(unix)]
    {
        fs::create_dir(here.path().join("foreign")).unwrap();
        std::os::unix::fs::symlink("foreign", here.path().join(".koala-doctor")).unwrap();
        let told = koala(here.path()).arg("doctor").assert().code(1);
        let told = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        assert!(
            told.contains("WRONG   disk: ") && told.contains("--out"),
            "{told}"
        );
        assert_eq!(
            fs::read_dir(here.path().join("foreign")).unwrap().count(),
            0
        );
    }
    let told = koala(here.path())
        .args(["doctor", "--device", "abacus"])
        .assert()
        .code(2);
    let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
    assert!(told.contains("abacus"), "{told}");
}
