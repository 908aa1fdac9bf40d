//! `events.jsonl`: what a run told while it went.

use koala_filter::StepReport;
use serde::Deserialize;

use super::{Figures, Scores};
use crate::Measure;

/// How much of a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Evaluations and how the run ended: what a comparison needs.
    Measures,
    /// The losses of steps too: what curves need.
    Curves,
    /// And at most this many of the filter's reports, evenly spaced.
    Filter(usize),
}

/// What a run told while it went. It may still go, or have been killed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// How it began; nothing if the log's beginning is lost.
    pub start: Option<Start>,
    /// Losses of steps, evenly spaced, at most two thousand.
    pub steps: Vec<StepPoint>,
    /// All evaluations, those at the end of epochs among them.
    pub evaluations: Vec<Evaluated>,
    /// What KOALA's filter did, evenly spaced.
    pub filter: Vec<StepReport>,
    /// Steps of adversarial training, evenly spaced, at most two thousand.
    pub adversarial: Vec<AdversarialPoint>,
    /// Distances of made images from real ones, held-out or test images, by the steps that were done.
    pub distances: Vec<(u64, f64)>,
    /// Why it broke off, if that is the last it told.
    pub failure: Option<String>,
    /// Lines that could not be read; the first twenty.
    pub damages: Vec<Damage>,
    /// How many there are.
    pub damaged: usize,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Start {
    /// The program that wrote it; `koala` does not tell.
    pub program: Option<String>,
    /// Version of the program.
    pub version: Option<String>,
    /// Name of the optimizer.
    pub optimizer: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the network.
    pub model: String,
    /// By what its evaluations are compared; logs of older versions do not tell it.
    pub measure: Option<String>,
    /// Number of its parameters.
    pub parameters: u64,
    /// Seed of weights and order.
    pub seed: u64,
    /// Samples to train on.
    pub train_samples: Option<u64>,
    /// Samples to test on.
    pub test_samples: Option<u64>,
    /// Steps asked for.
    pub steps: Option<u64>,
}

impl Start {
    /// Whether samples have no classes, so that there is no share of them to be misread.
    pub fn is_without_classes(&self) -> bool {
        matches!(self.measure.as_deref(), Some("loss" | "squared-error"))
    }

    /// Whether losses are squared errors.
    pub fn is_of_squared_errors(&self) -> bool {
        self.measure.as_deref() == Some("squared-error")
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepPoint {
    /// Steps done before this one.
    pub step: u64,
    /// Mean loss of the batch before the step; NaN if it was not finite.
    pub loss: f64,
    /// The learning rate with which plain gradient descent would have made a step as long; NaN if it is not told.
    pub effective_learning_rate: f64,
    /// Seconds since the start, evaluations included; NaN if they are not told.
    pub seconds: f64,
}

/// One step of adversarial training. NaN where something was not finite or not told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdversarialPoint {
    /// Steps done before this one.
    pub step: u64,
    /// Of the critic.
    pub critic: NetworkPoint,
    /// Of the generator.
    pub generator: NetworkPoint,
    /// The critic's mean score of real images minus that of made ones.
    pub wasserstein: f64,
    /// The gradient penalty without its weight.
    pub penalty: f64,
    /// Seconds since the start, evaluations included.
    pub seconds: f64,
}

/// What one of both networks did in a step of adversarial training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkPoint {
    /// Mean loss before the update.
    pub loss: f64,
    /// The learning rate with which plain gradient descent would have made an update as long.
    pub effective_learning_rate: f64,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluated {
    /// Steps done.
    pub step: u64,
    /// Seconds since the start, evaluations included.
    pub seconds: Option<f64>,
    /// Seconds of training until then, if the log tells them.
    pub training_seconds: Option<f64>,
    /// What was found. At the end of an epoch its batches are among it.
    pub figures: Figures,
}

impl Evaluated {
    /// The held-out samples in a measure; nothing if there are none or the value is not finite.
    pub fn validation(&self, measure: Measure) -> Option<f64> {
        self.figures.validation.as_ref()?.of(measure)
    }

    /// Held-out samples, or test samples in a run that holds out none: what there is to draw.
    pub fn judged(&self) -> Option<Scores> {
        self.figures.validation.or(self.figures.test)
    }

    /// Seconds of training until then; all seconds in logs that do not tell them apart.
    pub fn trained_seconds(&self) -> Option<f64> {
        self.training_seconds.or(self.seconds)
    }
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: String,
}

impl Log {
    /// Name of the file in a run's folder.
    pub const FILE: &str = "events.jsonl";
}
