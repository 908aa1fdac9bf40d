//! What came of a run.

use serde::Serialize;

use crate::training::{Best, Figures, Status};

/// What came of a run; stored as `result.json` in its folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    /// Whether it did all its steps.
    pub status: Status,
    /// Name of the optimizer.
    pub optimizer: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the network.
    pub model: String,
    /// Number of its parameters.
    pub parameters: usize,
    /// Name of the schedule.
    pub schedule: String,
    /// Seed of weights and order.
    pub seed: u64,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Epochs that were finished.
    pub epochs: usize,
    /// Steps that were done.
    pub steps: u64,
    /// The last epoch's batches as they were met.
    #[serde(flatten)]
    pub train: Figures,
    /// The held-out samples, if there are any, with the last weights.
    #[serde(flatten)]
    pub validation: Option<Figures>,
    /// The test samples with the last weights; nothing if the run was stopped before it came to them.
    #[serde(flatten)]
    pub test: Option<Figures>,
    /// The best of all evaluations; its weights are in `best.safetensors`.
    pub best: Option<Best>,
    /// Seconds of training, evaluations and checkpoints.
    pub seconds: f64,
    /// Seconds of the training steps alone.
    pub training_seconds: f64,
    /// Seconds inside the optimizer.
    pub optimizer_seconds: f64,
    /// Seconds in which a step waited for its batch.
    pub waiting_seconds: f64,
    /// Version of this crate.
    pub version: String,
}

impl RunResult {
    /// Share of the test samples that was misread, in percent; not a number if they were not met.
    pub fn test_error(&self) -> f64 {
        self.test.map_or(f64::NAN, |test| test.evaluation.error)
    }

    /// Mean loss of the test samples, in nats; not a number if they were not met.
    pub fn test_loss(&self) -> f64 {
        self.test.map_or(f64::NAN, |test| test.evaluation.loss)
    }
}
