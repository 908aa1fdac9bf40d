//! What decides which evaluation is the best.

/// By what evaluations are compared; the other one decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The share of misread samples.
    Error,
    /// The mean loss.
    Loss,
}
