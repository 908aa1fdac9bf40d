//! What is shown, as JSON.

use serde_json::{Map, Value, json};

use super::fact::Fact;
use super::rows::Rows;
use super::snapshot::Snapshot;
use super::state::State;

/// A run. Numbers that are not finite are null.
pub fn run(shown: &Snapshot) -> Value {
    let names: Map<String, Value> = shown
        .names
        .iter()
        .map(|(name, value)| {
            let number = (*name == "seed")
                .then(|| value.parse::<i64>().ok())
                .flatten();
            (
                (*name).to_owned(),
                number.map_or(json!(value), |seed| json!(seed)),
            )
        })
        .collect();
    json!({
        "folder": shown.folder,
        "run": names,
        "written_by": shown.writer,
        "parameters": shown.parameters,
        "state": shown.state.word(),
        "cause": cause(&shown.state),
        "steps": shown.done,
        "planned_steps": shown.planned,
        "seconds": shown.seconds,
        "seconds_a_step": shown.pace,
        "seconds_left": shown.left,
        "scores": facts(&shown.scores),
        "filter": shown.has_filter,
        "last_step": facts(&shown.filter),
        "result": facts(&shown.result),
        "damaged_lines": shown.damaged,
    })
}

/// Runs to choose from.
pub fn rows(rows: &Rows) -> Value {
    let row = rows.rows.iter().map(|row| {
        json!({
            "folder": row.folder.display().to_string(),
            "name": row.name,
            "state": row.state.word(),
            "cause": cause(&row.state),
            "steps": row.done,
            "planned_steps": row.planned,
        })
    });
    row.collect()
}

fn cause(state: &State) -> Option<&str> {
    match state {
        State::Failed(cause) => Some(cause),
        _ => None,
    }
}

fn facts(facts: &[Fact]) -> Value {
    let named = facts
        .iter()
        .map(|fact| (key(&fact.name), json!(fact.value)));
    Value::Object(named.collect())
}

/// "held-out error %" is `held_out_error`.
fn key(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_")
}
