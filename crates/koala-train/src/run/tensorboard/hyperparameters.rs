//! What TensorBoard's HPARAMS dashboard lists: the configuration with a column a key, and how the run ended.

use std::collections::BTreeMap;

use prost::Message;
use toml::{Table, Value as Given};

use super::proto::{
    Hyperparameter, Kind, Plugin, Session, SessionData, SessionEnd, SessionStart, Value,
};

const PLUGIN: &str = "hparams";
/// `STATUS_SUCCESS` and `STATUS_FAILURE` of the plugin's `api.proto`.
const SUCCESS: i32 = 1;
const FAILURE: i32 = 2;

/// The beginning of a run of this configuration, at this time in seconds since 1970.
pub(super) fn start(config: &str, time: f64) -> Value {
    let mut hyperparameters = BTreeMap::new();
    // A configuration of ours is TOML.
    flatten(
        "",
        &config.parse().unwrap_or_default(),
        &mut hyperparameters,
    );
    let start = SessionStart {
        hyperparameters,
        time,
    };
    summary("_hparams_/session_start_info", Session::Start(start))
}

/// The end of a run, by itself or not.
pub(super) fn end(completed: bool, time: f64) -> Value {
    let status = if completed { SUCCESS } else { FAILURE };
    summary(
        "_hparams_/session_end_info",
        Session::End(SessionEnd { status, time }),
    )
}

/// All that it says stands in the metadata; TensorBoard adds an empty tensor by itself.
fn summary(tag: &str, session: Session) -> Value {
    let data = SessionData {
        session: Some(session),
    };
    Value::metadata(
        tag,
        Plugin {
            name: PLUGIN.to_owned(),
            content: data.encode_to_vec(),
        },
    )
}

fn flatten(prefix: &str, table: &Table, found: &mut BTreeMap<String, Hyperparameter>) {
    for (name, value) in table {
        let kind = match value {
            Given::Table(inner) => {
                flatten(&format!("{prefix}{name}."), inner, found);
                continue;
            }
            Given::Boolean(flag) => Kind::Flag(*flag),
            Given::Integer(whole) => Kind::Number(*whole as f64),
            // TensorBoard's own JSON knows no other numbers.
            Given::Float(number) if number.is_finite() => Kind::Number(*number),
            Given::String(text) => Kind::Text(text.clone()),
            other => Kind::Text(other.to_string()),
        };
        found.insert(
            format!("{prefix}{name}"),
            Hyperparameter { kind: Some(kind) },
        );
    }
}
