//! What decides which evaluation is the best.

use serde::Serialize;

/// By what evaluations are compared, and so which numbers there are to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The share of misread samples, then the mean loss: samples with classes.
    Error,
    /// The mean loss, of which perplexity is told too, then the share of misread samples: tokens of texts.
    Perplexity,
    /// The mean loss alone: samples without classes.
    Loss,
    /// The mean loss alone, which is one of squared errors, so that its root is told too.
    SquaredError,
}
