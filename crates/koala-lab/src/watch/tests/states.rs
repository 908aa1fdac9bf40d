//! How a run stands, and how long it will take.

use serde_json::json;

use super::folders::Made;
use crate::watch::state::State;
use crate::watch::{record, text};

fn begun() -> Made {
    Made::new("koala-m").start("koala-m", 500).steps(300, true)
}

#[test]
fn a_run_stands_as_its_files_and_its_lock_say() {
    assert_eq!(begun().shown(true, 0.0).state, State::Running);
    assert_eq!(begun().shown(false, 0.0).state, State::Stopped);
    let interrupted = begun().result("interrupted", 291);
    assert_eq!(interrupted.shown(false, 0.0).state, State::Interrupted);
    // It goes on.
    assert_eq!(interrupted.shown(true, 0.0).state, State::Running);
    // A program that has not let go yet.
    let finished = begun().result("completed", 500);
    assert_eq!(finished.shown(true, 0.0).state, State::Finished);
    let failed = begun().tell(json!({"event": "failure", "message": "no more"}));
    assert_eq!(
        failed.shown(false, 0.0).state,
        State::Failed("no more".to_owned())
    );
}

#[test]
fn only_what_runs_has_time_left() {
    // A step takes a quarter of a second; 300 of 500 are done, as the evaluation says; the last was told three seconds ago.
    let shown = begun().shown(true, 3.0);
    assert_eq!((shown.done, shown.pace), (300, Some(0.25)));
    assert_eq!(shown.left, Some(200.0 * 0.25 - 3.0));
    let stopped = begun().shown(false, 3.0);
    assert_eq!(stopped.left, None);
    assert!(text::progress(&stopped).ends_with("not running"));
    assert!(text::run(&stopped).contains("go on with: koala train --resume runs/made"));
}

#[test]
fn a_snapshot_as_text_and_as_json() {
    let shown = begun().shown(true, 3.0);
    insta::assert_snapshot!("text", text::run(&shown));
    insta::assert_json_snapshot!("json", record::run(&shown));
}
