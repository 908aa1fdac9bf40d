//! What a run folder holds, without what differs between two runs of the same configuration: seconds, and descriptions that a
//! session repeats.

use std::fs;
use std::path::Path;

use koala_train::run::TensorBoard;
use prost::Message;
use serde_json::Value;

/// A run folder, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    pub model: Vec<u8>,
    pub best: Vec<u8>,
    pub result: Value,
    pub events: Vec<Value>,
    pub board: Vec<(i64, Option<Summary>)>,
}

pub fn contents(folder: &Path) -> Contents {
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    let json = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        let table = value.as_object_mut().unwrap();
        table.retain(|key, _| !key.ends_with("seconds"));
        value
    };
    let text = |name: &str| String::from_utf8(bytes(name)).unwrap();
    Contents {
        model: bytes("model.safetensors"),
        best: bytes("best.safetensors"),
        result: json(&text("result.json")),
        events: text("events.jsonl").lines().map(json).collect(),
        board: board(&bytes(TensorBoard::FILE_NAME)),
    }
}

impl Contents {
    /// Panics with what differs first, in few words.
    pub fn assert_equal(&self, other: &Self, what: &str) {
        assert_eq!(self.result, other.result, "{what}");
        for (one, other) in self.events.iter().zip(&other.events) {
            assert_eq!(one, other, "{what}");
        }
        assert_eq!(self.events.len(), other.events.len(), "{what}");
        for (one, other) in self.board.iter().zip(&other.board) {
            assert_eq!(one, other, "{what}");
        }
        assert_eq!(self.board.len(), other.board.len(), "{what}");
        assert!(self.model == other.model, "{what}: the weights differ");
        assert!(self.best == other.best, "{what}: the best weights differ");
    }
}

/// An event of `event.proto`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Point>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Point {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    pub scalar: Option<f32>,
    #[prost(bytes = "vec", optional, tag = "8")]
    tensor: Option<Vec<u8>>,
}

/// Length, its checksum, message, its checksum.
fn board(mut bytes: &[u8]) -> Vec<(i64, Option<Summary>)> {
    let mut events = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length) as usize;
        let mut event = Event::decode(&rest[4..4 + length]).unwrap();
        if let Some(summary) = &mut event.summary {
            summary.values.retain(|value| value.tag != "seconds");
        }
        events.push((event.step, event.summary));
        bytes = &rest[4 + length + 4..];
    }
    events
}
