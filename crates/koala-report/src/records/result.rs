//! `result.json`: what came of a run.

use std::path::Path;

use serde::Deserialize;

use super::{Figures, read_text, version};
use crate::Error;

const FILE: &str = "result.json";
const LIMIT: u64 = 1 << 20;

/// What came of a run, as far as a comparison needs it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RunResult {
    /// Whether it did all its steps.
    pub status: Status,
    /// Number of the network's parameters.
    pub parameters: Option<u64>,
    /// Samples in a batch.
    pub batch_size: Option<u64>,
    /// Steps that were done.
    pub steps: u64,
    /// With the last weights, and the last epoch's batches.
    #[serde(flatten)]
    pub figures: Figures,
    /// Seconds of the training steps alone.
    pub training_seconds: Option<f64>,
    /// Seconds inside the optimizer, a part of the former.
    pub optimizer_seconds: Option<f64>,
    /// Bytes that the optimizer remembers between steps; results of older versions do not tell it.
    #[serde(rename = "optimizer_state_bytes")]
    pub state_bytes: Option<u64>,
    /// What is worth knowing of its data, a sentence each; of data of one's own only.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The program that wrote it; `koala` does not tell.
    pub program: Option<String>,
    /// Version of the program.
    pub version: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did all its steps.
    Completed,
    /// Someone stopped it.
    #[serde(other)]
    Interrupted,
}

impl RunResult {
    /// Reads it; nothing if the run has none yet.
    ///
    /// # Errors
    ///
    /// [`Error`] if it cannot be read or is damaged.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE);
        let Some(text) = read_text(&path, LIMIT)? else {
            return Ok(None);
        };
        version::check(&path, &text)?;
        match serde_json::from_str(&text) {
            Ok(result) => Ok(Some(result)),
            Err(fault) => Err(Error::Damaged {
                line: Some(fault.line()),
                fault: fault.to_string(),
                remedy: "delete it and resume the run, which writes it anew",
                path,
            }),
        }
    }
}
