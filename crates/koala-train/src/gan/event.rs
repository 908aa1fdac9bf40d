//! What adversarial training tells while it goes.

use koala_filter::StepReport;
use serde::Serialize;

use super::{FoundDistance, GanLosses, Pictures};

/// One step: some updates of the critic, one of the generator.
#[derive(Debug, Clone, Serialize)]
pub struct GanStepEvent {
    /// Steps done before this one.
    pub step: u64,
    /// Epochs done before this one.
    pub epoch: usize,
    /// What the critic did: its mean loss over the updates of this step, the rest of the last of them.
    pub critic: NetworkStep,
    /// What the generator did.
    pub generator: NetworkStep,
    /// The critic's mean score of real images minus that of made ones, over the updates of this step.
    pub wasserstein: f64,
    /// The gradient penalty without its weight, over the updates of this step.
    pub penalty: f64,
    /// Seconds since the start.
    pub seconds: f64,
}

/// What one of the networks did in a step.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkStep {
    /// Mean loss, before the update.
    pub loss: f64,
    /// Gain of KOALA or learning rate of the others, the schedule's factor in it.
    pub gain: f64,
    /// The learning rate with which plain gradient descent would have made an update as long.
    pub effective_learning_rate: f64,
    /// What KOALA's filter did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<StepReport>,
}

/// An evaluation within an epoch.
#[derive(Debug, Clone, Serialize)]
pub struct GanEvaluationEvent {
    /// Steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: usize,
    /// What was found.
    #[serde(flatten)]
    pub judged: FoundDistance,
    /// Seconds since the start.
    pub seconds: f64,
}

/// The end of an epoch, or of the part of it that was done.
#[derive(Debug, Clone, Serialize)]
pub struct GanEpochEvent {
    /// Epochs done, this one included.
    pub epoch: usize,
    /// Steps done.
    pub step: u64,
    /// The epoch's steps as they were met.
    #[serde(flatten)]
    pub train: GanLosses,
    /// What the evaluation found.
    #[serde(flatten)]
    pub judged: FoundDistance,
    /// Seconds since the start.
    pub seconds: f64,
}

/// Images to look at.
#[derive(Debug, Clone, Serialize)]
pub struct PicturesEvent {
    /// Steps done.
    pub step: u64,
    /// What they are: `real`, or `step-` and the steps done.
    pub name: String,
    /// The images; a log has their name only.
    #[serde(skip)]
    pub images: Pictures,
}
