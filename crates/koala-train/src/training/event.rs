//! What a run tells while it goes.

use koala_filter::StepReport;
use serde::Serialize;

use super::{
    Figures, FoundDistance, GanEpochEvent, GanEvaluationEvent, GanStepEvent, Measure, Misread,
    PicturesEvent,
};
use crate::device::DeviceName;

/// One event of a run; one line of its log. Numbers that are not finite are written as `null`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// It begins.
    Start(StartEvent),
    /// It goes on from a checkpoint; not in its log, which is as if it had never stopped.
    Resume(ResumeEvent),
    /// A step is done.
    Step(StepEvent),
    /// The network was evaluated within an epoch.
    Evaluation(EvaluationEvent),
    /// An epoch is done and the network was evaluated.
    Epoch(EpochEvent),
    /// A step of adversarial training is done.
    GanStep(Box<GanStepEvent>),
    /// The generator was evaluated within an epoch.
    GanEvaluation(GanEvaluationEvent),
    /// An epoch of adversarial training is done and the generator was evaluated.
    GanEpoch(GanEpochEvent),
    /// There are images to look at.
    Pictures(PicturesEvent),
    /// Something is not as it should be, and the run goes on.
    Warning(WarningEvent),
    /// It is over.
    End(EndEvent),
    /// It broke off.
    Failure(FailureEvent),
}

impl Event {
    /// Something is not as it should be.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self::Warning(WarningEvent {
            message: message.into(),
        })
    }
}

/// Something that is not as it should be, and does not end the run.
#[derive(Debug, Clone, Serialize)]
pub struct WarningEvent {
    /// What it is.
    pub message: String,
}

/// The beginning of a run.
#[derive(Debug, Clone, Serialize)]
pub struct StartEvent {
    /// Version of this crate.
    pub version: &'static str,
    /// Name of the optimizer.
    pub optimizer: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the network.
    pub model: String,
    /// By what its evaluations are compared; nothing if images are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Where it is trained.
    pub device: DeviceName,
    /// Number of its parameters.
    pub parameters: usize,
    /// Seed of weights and order.
    pub seed: u64,
    /// Samples to train on.
    pub train_samples: usize,
    /// Samples to test on.
    pub test_samples: usize,
    /// Epochs asked for.
    pub epochs: usize,
    /// Steps they take; fewer if a limit cuts the run short.
    pub steps: u64,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepEvent {
    /// Steps done before this one.
    pub step: u64,
    /// Epochs done before this one.
    pub epoch: usize,
    /// Mean loss of the batch, before the step; a cross-entropy is in nats.
    pub loss: f64,
    /// How much of the batch was misread, before the step; nothing if its samples have no classes.
    #[serde(flatten)]
    pub misread: Option<Misread>,
    /// Gain of KOALA or learning rate of the others, the schedule's factor in it.
    pub gain: f64,
    /// The learning rate with which plain gradient descent would have made a step as long.
    pub effective_learning_rate: f64,
    /// Seconds since the start.
    pub seconds: f64,
    /// What KOALA's filter did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<StepReport>,
}

/// A run that goes on.
#[derive(Debug, Clone, Serialize)]
pub struct ResumeEvent {
    /// What it began with.
    pub start: StartEvent,
    /// Steps that are done.
    pub step: u64,
    /// Epochs that are over.
    pub epoch: usize,
}

/// An evaluation within an epoch.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EvaluationEvent {
    /// Steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: usize,
    /// What was found.
    #[serde(flatten)]
    pub judged: Figures,
    /// Seconds since the start.
    pub seconds: f64,
    /// Seconds of the training steps alone, without evaluations and checkpoints.
    pub training_seconds: f64,
}

/// The end of an epoch, or of the part of it that was done.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EpochEvent {
    /// Epochs done, this one included.
    pub epoch: usize,
    /// Steps done.
    pub step: u64,
    /// The epoch's batches as they were met.
    #[serde(flatten)]
    pub train: Figures,
    /// What the evaluation found.
    #[serde(flatten)]
    pub judged: Figures,
    /// Seconds since the start.
    pub seconds: f64,
    /// Seconds of the training steps alone, without evaluations and checkpoints.
    pub training_seconds: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did all its steps.
    Completed,
    /// Someone stopped it.
    Interrupted,
}

/// A run that ended before its steps were done, since held-out samples did not get better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EarlyStop {
    /// Evaluations in a row that were waited for a lower loss.
    pub patience: u64,
    /// Steps that were done at the lowest loss of held-out samples.
    pub step: u64,
    /// That loss.
    pub loss: f64,
}

/// The end of a run.
#[derive(Debug, Clone, Serialize)]
pub struct EndEvent {
    /// How it ended.
    pub status: Status,
    /// Steps done.
    pub steps: u64,
    /// Why it ended before its steps were done, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// The test samples.
    #[serde(flatten)]
    pub test: Option<Figures>,
    /// The distance of made images from the test images, if images are made.
    #[serde(flatten)]
    pub distance: Option<FoundDistance>,
    /// Seconds since the start.
    pub seconds: f64,
}

/// A run that broke off.
#[derive(Debug, Clone, Serialize)]
pub struct FailureEvent {
    /// Why.
    pub message: String,
}
