//! What came of a run.

use serde::Serialize;

use crate::Error;
use crate::device::DeviceName;
use crate::gan::{BestDistance, Distance, FoundDistance, GanLosses};
use crate::training::{Best, EarlyStop, EndEvent, Event, Figures, Observer, Status};

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
    /// Where it was trained.
    pub device: DeviceName,
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
    /// Why it ended before its steps were done, if it did by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
    /// Seconds of training, evaluations and checkpoints.
    pub seconds: f64,
    /// Seconds of the training steps alone.
    pub training_seconds: f64,
    /// Seconds inside the optimizer.
    pub optimizer_seconds: f64,
    /// Bytes that the optimizer remembers between steps beside the parameters: of its tensors, all networks' together.
    pub optimizer_state_bytes: u64,
    /// Seconds in which a step waited for its batch.
    pub waiting_seconds: f64,
    /// What is worth knowing of data of one's own, and then of the run itself, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Version of this crate.
    pub version: String,
}

/// What a run found; its fields are the result's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Findings {
    /// How well a network predicts.
    Predicted {
        /// The last epoch's batches as they were met.
        #[serde(flatten)]
        train: Figures,
        /// The held-out samples, if there are any, with the last weights.
        #[serde(flatten)]
        validation: Option<Figures>,
        /// The test samples with the last weights; nothing if the run was stopped before it came to them.
        #[serde(flatten)]
        test: Option<Figures>,
        /// The test samples with the weights of the best evaluation, if that was of held-out samples and the run is kept in
        /// a folder.
        #[serde(flatten)]
        best_test: Option<Figures>,
        /// The best of all evaluations; its weights are in `best.safetensors`.
        best: Option<Best>,
    },
    /// How near made images are to real ones.
    Made {
        /// Losses of the last epoch's steps as they were met.
        #[serde(flatten)]
        train: GanLosses,
        /// The held-out images, if there are any, with the last weights.
        #[serde(flatten)]
        validation: Option<FoundDistance>,
        /// The test images with the last weights; nothing if the run was stopped before it came to them.
        #[serde(flatten)]
        test: Option<FoundDistance>,
        /// The distance of real images to train on from the test images: what there is to reach.
        real_distance: Option<Distance>,
        /// The lowest of all distances; the generator's weights are in `best.safetensors`.
        best: Option<BestDistance>,
    },
}

impl RunResult {
    /// Share of the test samples that was misread, in percent; not a number if they were not met or have no classes.
    pub fn test_error(&self) -> f64 {
        self.test().map_or(f64::NAN, |test| test.evaluation.error())
    }

    /// Mean loss of the test samples; not a number if they were not met.
    pub fn test_loss(&self) -> f64 {
        self.test().map_or(f64::NAN, |test| test.evaluation.loss)
    }

    /// Mean loss of the last epoch's batches; not a number if it is no network that predicts.
    pub fn train_loss(&self) -> f64 {
        match &self.findings {
            Findings::Predicted { train, .. } => train.evaluation.loss,
            Findings::Made { .. } => f64::NAN,
        }
    }

    /// The number that matters most about the test samples, in words; nothing if they were not met.
    pub fn headline(&self) -> Option<String> {
        match &self.findings {
            Findings::Predicted { test, .. } => test.as_ref().map(Figures::headline),
            Findings::Made { test, .. } => test.as_ref().map(FoundDistance::headline),
        }
    }

    /// Takes up what makes a run's numbers not what they seem, if it has done all its steps and did one; and tells of it.
    pub(super) fn judge(
        &mut self,
        warning: Option<String>,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let counts = self.status == Status::Completed && self.steps > 0;
        match warning.filter(|_| counts) {
            None => Ok(()),
            Some(message) => {
                self.warnings.push(message.clone());
                observer.observe(&Event::warning(message))
            }
        }
    }

    /// Tells of the end of the run.
    pub(super) fn tell(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        let (test, distance) = match &self.findings {
            Findings::Predicted { test, .. } => (*test, None),
            Findings::Made { test, .. } => (None, test.clone()),
        };
        observer.observe(&Event::End(EndEvent {
            status: self.status,
            steps: self.steps,
            early_stop: self.early_stop,
            test,
            distance,
            seconds: self.seconds,
        }))
    }

    fn test(&self) -> Option<&Figures> {
        match &self.findings {
            Findings::Predicted { test, .. } => test.as_ref(),
            Findings::Made { .. } => None,
        }
    }
}
