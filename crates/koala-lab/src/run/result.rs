//! What came of a run.

use serde::Serialize;

use crate::training::Status;

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
    /// Mean loss of the last epoch's batches as they were met, in nats.
    pub train_loss: f64,
    /// Share of them that was misread, in percent.
    pub train_error: f64,
    /// Mean loss of the test samples, in nats.
    pub test_loss: f64,
    /// Share of them that was misread, in percent.
    pub test_error: f64,
    /// Seconds of training and tests.
    pub seconds: f64,
    /// Seconds of the training steps alone.
    pub training_seconds: f64,
    /// Seconds inside the optimizer.
    pub optimizer_seconds: f64,
    /// Version of this crate.
    pub version: String,
}
