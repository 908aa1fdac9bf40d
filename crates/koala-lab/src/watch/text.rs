//! What is shown, as text.

use std::path::Path;

use koala_report::page::plain;
use koala_system::quoted;

use super::fact::Fact;
use super::pace::duration;
use super::rows::{Row, Rows};
use super::snapshot::Snapshot;
use super::state::State;

/// What stands where the filter would be.
pub const NO_FILTER: &str = "this optimizer has no filter";

/// A run.
pub fn run(shown: &Snapshot) -> String {
    let mut lines = vec![
        shown.folder.clone(),
        shown.title(),
        state(shown),
        progress(shown),
    ];
    lines.extend(
        shown
            .writer
            .as_ref()
            .map(|writer| format!("written by {writer}")),
    );
    lines.extend(remedy(shown));
    if shown.damaged > 0 {
        lines.push(format!("{} lines of the log are damaged", shown.damaged));
    }
    for (head, facts) in [
        ("scores", &shown.scores),
        ("last step", &shown.filter),
        ("result", &shown.result),
    ] {
        if !facts.is_empty() {
            lines.push(String::new());
            lines.push(format!("{head}:"));
            lines.extend(facts.iter().map(|told| format!("  {}", told.line(40))));
        }
    }
    if shown.has_filter == Some(false) {
        lines.push(format!("  {NO_FILTER}"));
    }
    lines.join("\n")
}

/// Runs to choose from.
pub fn rows(rows: &Rows) -> String {
    let width = rows.rows.iter().map(|row| row.name.chars().count()).max();
    let lines = rows.rows.iter().map(|one| row(one, width.unwrap_or(0)));
    lines.collect::<Vec<String>>().join("\n")
}

/// One of them, its name filled up to a width.
pub fn row(row: &Row, width: usize) -> String {
    let done = match (&row.state, row.planned) {
        (State::NotBegun | State::Finished, _) => String::new(),
        (_, Some(planned)) => format!("{}/{planned}  ", row.done),
        (_, None) => format!("{}  ", row.done),
    };
    let state = row.state.word();
    let line = format!(
        "{:<width$.width$}  {state:<11}  {done}{}",
        row.name, row.told
    );
    line.trim_end().to_owned()
}

/// How it stands, with the cause if it failed.
pub fn state(shown: &Snapshot) -> String {
    match &shown.state {
        State::Failed(cause) => format!("failed: {cause}"),
        state => state.word().to_owned(),
    }
}

/// How far it is, how long that took, and how long it will take.
pub fn progress(shown: &Snapshot) -> String {
    let mut parts = vec![match shown.planned {
        Some(planned) => format!("{} of {planned} steps", shown.done),
        None => format!("{} steps", shown.done),
    }];
    parts.extend(
        shown
            .seconds
            .map(|seconds| format!("after {}", duration(seconds))),
    );
    parts.extend(shown.pace.map(|pace| format!("{} s a step", plain(pace))));
    parts.push(match (&shown.state, shown.left) {
        (State::Running, Some(left)) => format!("{} left", duration(left)),
        (State::Running, None) => "time left not known yet".to_owned(),
        (State::Finished, _) => return parts.join(", "),
        _ => "not running".to_owned(),
    });
    parts.join(", ")
}

/// How to go on with a run that was stopped.
pub fn remedy(shown: &Snapshot) -> Option<String> {
    let go_on = || match &shown.writer {
        None => format!(
            "go on with: koala train --resume {}",
            quoted(Path::new(&shown.folder))
        ),
        Some(_) => "go on with the program that began it".to_owned(),
    };
    shown.state.goes_on().then(go_on)
}

/// What matters most beside the progress: why it failed, how to go on with it, what came of it, or where it is.
pub fn remark(shown: &Snapshot) -> String {
    match (&shown.state, remedy(shown)) {
        (State::Failed(cause), _) => cause.clone(),
        (_, Some(remedy)) => remedy,
        (State::Finished, None) if !shown.result.is_empty() => result(shown),
        (_, None) => shown.folder.clone(),
    }
}

/// What came of it, the test samples first.
fn result(shown: &Snapshot) -> String {
    let all = shown.result.iter();
    let (test, others): (Vec<&Fact>, Vec<&Fact>) = all.partition(|fact| fact.name.contains("test"));
    let words = test.into_iter().chain(others).map(Fact::words);
    words.collect::<Vec<String>>().join(", ")
}
