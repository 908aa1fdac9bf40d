//! What a run leaves.

use super::{Network, RunResult};

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome {
    /// What came of it.
    pub result: RunResult,
    /// The trained network, for inference.
    pub network: Network,
}
