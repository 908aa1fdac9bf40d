//! Logs that were deleted or shortened between two sessions: the run goes on, and says so.

use std::fs;
use std::path::Path;

use koala_train::run::TensorBoard;
use koala_train::training::Status;

use super::contents::{Summary, contents};
use super::stops::{Stop, session, small};

/// A run that is stopped, loses something, and goes on: its warnings.
fn goes_on(folder: &Path, lose: impl Fn(&Path)) -> Vec<String> {
    let config = small(0);
    session(folder, &config, Some(Stop::Asked(7)));
    lose(folder);
    let (status, from, warnings) = session(folder, &config, None);
    assert_eq!((status, from), (Some(Status::Completed), Some(7)));
    let shown = format!("{}/", folder.display());
    warnings
        .iter()
        .map(|warning| warning.replace(&shown, ""))
        .collect()
}

fn shorten(file: &Path, share: u64) {
    let open = fs::File::options().write(true).open(file).unwrap();
    open.set_len(open.metadata().unwrap().len() / share)
        .unwrap();
}

/// The events without what is not a number.
fn curves(board: &[(i64, Option<Summary>)]) -> Vec<(i64, Summary)> {
    let events = board.iter().cloned();
    events
        .filter_map(|(step, summary)| {
            let mut summary = summary?;
            summary.values.retain(|point| point.scalar.is_some());
            Some((step, summary))
        })
        .collect()
}

#[test]
fn a_run_goes_on_without_its_logs() {
    let whole = tempfile::tempdir().unwrap();
    session(whole.path(), &small(0), None);
    let expected = contents(whole.path());

    let folder = tempfile::tempdir().unwrap();
    let warnings = goes_on(folder.path(), |folder| {
        fs::remove_file(folder.join("events.jsonl")).unwrap();
        fs::remove_file(folder.join(TensorBoard::FILE_NAME)).unwrap();
    });
    assert_eq!(
        warnings,
        [
            "events.jsonl is gone: it is begun anew with the steps that follow",
            "events.out.tfevents.koala is gone: it is begun anew with the steps that follow",
        ]
    );
    let found = contents(folder.path());
    assert!(found.model == expected.model && found.best == expected.best);
    assert_eq!(found.result, expected.result);
    let steps = found.events.len();
    assert_eq!(
        found.events,
        expected.events[expected.events.len() - steps..]
    );
    // A header, the configuration and what is trained on what are written again, and with the next step the blocks.
    assert_eq!(found.board[..3], expected.board[..3]);
    let (found, expected) = (curves(&found.board[3..]), curves(&expected.board));
    assert_eq!(found, expected[expected.len() - found.len()..]);
}

#[test]
fn a_run_goes_on_with_what_is_left_of_its_logs() {
    let whole = tempfile::tempdir().unwrap();
    session(whole.path(), &small(0), None);
    let expected = contents(whole.path());

    let folder = tempfile::tempdir().unwrap();
    let warnings = goes_on(folder.path(), |folder| {
        shorten(&folder.join("events.jsonl"), 2);
        shorten(&folder.join(TensorBoard::FILE_NAME), 2);
    });
    assert_eq!(warnings.len(), 2);
    for (warning, name) in warnings
        .iter()
        .zip(["events.jsonl", TensorBoard::FILE_NAME])
    {
        assert!(warning.starts_with(name), "{warning}");
        assert!(warning.ends_with("what is missing is lost, the run goes on"));
    }
    // Every line is whole, and those that are left are the run's.
    let found = contents(folder.path());
    assert!(found.model == expected.model);
    assert!(found.events.len() < expected.events.len());
    for event in &found.events {
        assert!(expected.events.contains(event));
    }
    assert!(found.board.len() < expected.board.len());
    for event in &found.board {
        assert!(expected.board.contains(event));
    }
}
