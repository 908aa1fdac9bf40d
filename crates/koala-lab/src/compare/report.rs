//! What a comparison found.

use std::path::Path;

use serde::Serialize;

use super::{Comparison, Row, StepsToTarget};
use crate::Error;
use crate::run::write_whole;

const FILE: &str = "comparison.json";

/// What a comparison found, and of what.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the data set.
    pub dataset: &'static str,
    /// Name of the network.
    pub model: &'static str,
    /// Epochs of each run.
    pub epochs: usize,
    /// Samples in a batch.
    pub batch_size: usize,
    /// The seeds that each optimizer ran with.
    pub seeds: Vec<u64>,
    /// The training loss whose steps were counted, in nats.
    pub target_loss: f64,
    /// Batches whose mean loss was compared with it.
    pub target_window: usize,
    /// A row for each optimizer.
    pub rows: Vec<Row>,
}

impl Report {
    /// A report without rows.
    pub(super) fn new(comparison: &Comparison) -> Self {
        let first = comparison.configs.first();
        Self {
            dataset: first.map_or("", |c| c.dataset.name().name()),
            model: first.map_or("", |c| c.model.name()),
            epochs: first.map_or(0, |c| c.epochs),
            batch_size: first.map_or(0, |c| c.batch_size),
            seeds: comparison.seeds.clone(),
            target_loss: comparison.target_loss,
            target_window: StepsToTarget::WINDOW,
            rows: Vec::new(),
        }
    }

    /// Whether a run failed.
    pub fn has_failure(&self) -> bool {
        self.rows.iter().any(|row| row.failure().is_some())
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE);
        let mut text =
            serde_json::to_string_pretty(self).map_err(|e| Error::file(path, "write")(e.into()))?;
        text.push('\n');
        write_whole(folder, FILE, text.as_bytes())
    }
}
