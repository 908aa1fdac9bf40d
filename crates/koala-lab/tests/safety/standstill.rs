//! A run that did not train says so.

use tempfile::tempdir;

use crate::common::{json, koala, stderr, text};

#[test]
fn a_run_whose_weights_stand_still_warns_in_the_result_and_on_the_terminal() {
    for (arguments, told) in [
        (
            &["--optimizer=schedule-free-sgd", "--learning-rate=1e308"][..],
            "has moved no weight",
        ),
        (
            &["--optimizer=prodigy", "--distance-scale=1e30"],
            "steps had no length",
        ),
    ] {
        let here = tempdir().unwrap();
        let run = koala(here.path())
            .args(["train", "--out=run", "--max-steps=40", "--json"])
            .args(arguments)
            .assert()
            .success();
        let warnings = json(&run)["warnings"].to_string();
        assert!(warnings.contains(told), "{warnings}");
        assert!(stderr(&run).contains(told), "{}", stderr(&run));
        assert!(text(&here.path().join("run/events.jsonl")).contains("\"event\":\"warning\""));
        koala(here.path()).args(["check", "run"]).assert().success();
        let report = json(
            &koala(here.path())
                .args(["report", "run", "--json"])
                .assert()
                .success(),
        );
        assert!(
            report["comparison"]["warnings"].to_string().contains(told),
            "{report}"
        );
    }
}

#[test]
fn a_run_that_trains_does_not() {
    let here = tempdir().unwrap();
    let run = koala(here.path())
        .args(["train", "--out=run", "--max-steps=3", "--json"])
        .assert()
        .success();
    assert_eq!(
        (json(&run).get("warnings"), stderr(&run).as_str()),
        (None, "")
    );
}
