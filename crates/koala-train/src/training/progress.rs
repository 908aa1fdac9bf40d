//! How far a run is.

use serde::{Deserialize, Serialize};

use super::{Evaluation, Tally};

/// How far a run is and what it has counted: with weights and optimizer, all that it needs to go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Epochs that are over.
    pub epoch: usize,
    /// Batches done in the epoch that is on.
    pub batch: usize,
    /// Losses in a row that were not finite.
    pub missing: u32,
    /// What the epoch has counted.
    pub tally: Tally,
    /// The epoch that is over: its batches as they were met.
    pub train: Option<Evaluation>,
    /// What the last evaluation found.
    pub judged: Option<Evaluation>,
    /// The best evaluation.
    pub best: Option<Best>,
    /// Where the time went.
    pub clocks: Clocks,
}

/// By what evaluations are compared; the other one decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The share of misread samples.
    Error,
    /// The mean loss.
    Loss,
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

impl Progress {
    /// Takes an evaluation; true if it is the best so far.
    pub(super) fn judge(&mut self, evaluation: Evaluation, measure: Measure) -> bool {
        self.judged = Some(evaluation);
        let key = |e: &Evaluation| match measure {
            Measure::Error => (e.error, e.loss),
            Measure::Loss => (e.loss, e.error),
        };
        let better = evaluation.loss.is_finite()
            && self
                .best
                .is_none_or(|best| key(&evaluation) < key(&best.evaluation));
        if better {
            self.best = Some(Best {
                step: self.step,
                evaluation,
            });
        }
        better
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_first_of_the_best() {
        let of = |error, loss| Evaluation {
            loss,
            error,
            top5_error: 0.0,
        };
        let mut progress = Progress::default();
        let by = Measure::Error;
        assert!(!progress.judge(of(10.0, f64::NAN), by));
        assert!(progress.judge(of(20.0, 1.0), by));
        assert!(!progress.judge(of(20.0, 1.0), by));
        assert!(progress.judge(of(20.0, 0.5), by));
        assert!(!progress.judge(of(21.0, 0.1), by));
        progress.step = 7;
        assert!(progress.judge(of(19.0, 2.0), by));
        assert_eq!(progress.best.unwrap().step, 7);
        assert!(progress.judge(of(90.0, 0.1), Measure::Loss));
    }
}
