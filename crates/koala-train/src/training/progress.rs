//! How far a run is.

use serde::{Deserialize, Serialize};

use super::{Counting, Evaluation, Figures, Measure, Samples, Tally};

/// How far a run is and what it has counted: with networks and optimizers, all that it needs to go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress<C = Counts> {
    /// Steps done.
    pub step: u64,
    /// Epochs that are over.
    pub epoch: usize,
    /// Steps done in the epoch that is on.
    pub batch: usize,
    /// Steps in a row with a loss that was not finite.
    pub missing: u32,
    /// What its kind of training counts beside them.
    #[serde(flatten)]
    pub counts: C,
    /// Where the time went.
    pub clocks: Clocks,
}

/// What the training of one network counts beside the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// What the epoch has counted.
    pub tally: Tally,
    /// The epoch that is over: its batches as they were met.
    pub train: Option<Evaluation>,
    /// What the last evaluation found.
    pub judged: Option<Evaluation>,
    /// The best evaluation.
    pub best: Option<Best>,
    /// How held-out samples stand; nothing as long as none gave a finite loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<Lowest>,
    /// Steps that had no length.
    #[serde(default, skip_serializing_if = "none")]
    pub idle: u64,
}

/// The lowest loss of held-out samples, and how long ago it was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lowest {
    /// Steps that were done.
    pub step: u64,
    /// The loss, which is finite.
    pub loss: f64,
    /// Evaluations since then, none of which found a lower one.
    pub since: u64,
}

/// The first of the best evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps that were done.
    pub step: u64,
    /// What was found.
    pub evaluation: Evaluation,
}

/// Seconds, over all sessions of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Clocks {
    /// In all.
    pub seconds: f64,
    /// Of the steps alone, without evaluations and checkpoints.
    pub training: f64,
    /// Inside the optimizer.
    pub optimizer: f64,
    /// Waiting for a batch.
    pub waiting: f64,
}

/// Whether it is a count of nothing, which is not written: so it was before there was one.
fn none(count: &u64) -> bool {
    *count == 0
}

impl Counts {
    /// Batches of the last epoch that is over, as they were met; of the first one while it is on.
    pub fn train(&self) -> Evaluation {
        self.train.unwrap_or_else(|| self.tally.evaluation())
    }

    /// Counts a step of this effective learning rate, if it had no length.
    pub(super) fn add_length(&mut self, rate: f64) {
        if rate == 0.0 || !rate.is_finite() {
            self.idle += 1;
        }
    }

    /// Takes the loss of held-out samples after so many steps.
    fn wait(&mut self, step: u64, loss: f64) {
        match &mut self.lowest {
            Some(lowest) if loss.is_nan() || loss >= lowest.loss => lowest.since += 1,
            _ if loss.is_finite() => {
                self.lowest = Some(Lowest {
                    step,
                    loss,
                    since: 0,
                });
            }
            _ => {}
        }
    }

    /// What is to be told if most of so many steps had no length.
    pub(crate) fn idleness(&self, steps: u64) -> Option<String> {
        (self.idle > steps / 2).then(|| {
            format!(
                "{} of {steps} steps had no length (an effective learning rate of 0, or none that is finite): most of the training \
                 did nothing. Look at the optimizer's options",
                self.idle
            )
        })
    }
}

impl Counting for Counts {
    type Found = Figures;

    fn judge(&mut self, step: u64, found: &Figures) -> bool {
        let evaluation = found.evaluation;
        self.judged = Some(evaluation);
        if found.samples == Samples::Validation {
            self.wait(step, evaluation.loss);
        }
        let key = |e: &Evaluation| match found.measure {
            Measure::Error => (e.error(), e.loss),
            Measure::Perplexity => (e.loss, e.error()),
            // There is no other one to decide among equals.
            Measure::Loss | Measure::SquaredError => (e.loss, 0.0),
        };
        let better = evaluation.loss.is_finite()
            && self
                .best
                .is_none_or(|best| key(&evaluation) < key(&best.evaluation));
        if better {
            self.best = Some(Best { step, evaluation });
        }
        better
    }

    fn waited(&self) -> u64 {
        self.lowest.map_or(0, |lowest| lowest.since)
    }

    fn tested_best(&self) -> Option<u64> {
        self.best.map(|best| best.step)
    }

    fn end_epoch(&mut self, whole: bool) {
        self.train = Some(self.tally.evaluation());
        if whole {
            self.tally = Tally::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Misread, Part};
    use super::*;

    #[test]
    fn the_best_is_the_first_of_the_best() {
        let of = |error, loss, measure| {
            let evaluation = Evaluation {
                loss,
                misread: Some(Misread {
                    error,
                    top5_error: 0.0,
                }),
            };
            Figures::new(Part::Test, evaluation, measure)
        };
        let mut counts = Counts::default();
        let by = Measure::Error;
        assert!(!counts.judge(0, &of(10.0, f64::NAN, by)));
        assert!(counts.judge(0, &of(20.0, 1.0, by)));
        assert!(!counts.judge(0, &of(20.0, 1.0, by)));
        assert!(counts.judge(0, &of(20.0, 0.5, by)));
        assert!(!counts.judge(0, &of(21.0, 0.1, by)));
        assert!(counts.judge(7, &of(19.0, 2.0, by)));
        assert_eq!(counts.tested_best(), Some(7));
        assert!(counts.judge(7, &of(90.0, 0.1, Measure::Perplexity)));
    }

    #[test]
    fn only_a_lower_loss_of_held_out_samples_ends_the_waiting() {
        let of = |loss, part| {
            let misread = None;
            Figures::new(part, Evaluation { loss, misread }, Measure::Loss)
        };
        let mut counts = Counts::default();
        let losses = [f64::NAN, 3.0, 3.0, f64::INFINITY, f64::NAN, 2.9, 2.95];
        let waited = losses.map(|loss| {
            counts.judge(7, &of(loss, Part::Validation));
            counts.waited()
        });
        assert_eq!(waited, [0, 0, 1, 2, 3, 0, 1]);
        counts.judge(8, &of(5.0, Part::Test));
        assert_eq!(counts.waited(), 1);
    }

    #[test]
    fn the_least_loss_is_the_best_where_there_is_no_error() {
        for measure in [Measure::Loss, Measure::SquaredError] {
            let mut counts = Counts::default();
            let better = [f64::NAN, 1e4, 1e4, 2e4, 9e3].map(|loss| {
                let misread = None;
                let found = Figures::new(Part::Test, Evaluation { loss, misread }, measure);
                counts.judge(0, &found)
            });
            assert_eq!(better, [false, true, false, false, true]);
        }
    }

    /// Checkpoints that were made before stay readable, and the same bytes are made of them.
    #[test]
    fn progress_is_written_as_ever() {
        let text = r#"{"step":3,"epoch":1,"batch":2,"missing":1,"tally":{"loss":0.1,"misread":2,"misread_by_five":1,"count":9},"train":{"loss":1.5,"error":50.0,"top5_error":0.0},"judged":null,"best":{"step":2,"evaluation":{"loss":"inf","error":50.0,"top5_error":0.3}},"clocks":{"seconds":1.5,"training":1.0,"optimizer":0.25,"waiting":0.1}}"#;
        let progress: Progress = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&progress).unwrap(), text);
        let other = text.replace("\"best\"", "\"worst\":1,\"best\"");
        assert!(serde_json::from_str::<Progress>(&other).is_err());
    }
}
