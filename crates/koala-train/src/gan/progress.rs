//! How far adversarial training is.

use serde::{Deserialize, Serialize};

use super::{BestDistance, Distance, GanTally};
use crate::training::Clocks;

/// How far a run is and what it has counted: with both networks and their optimizers, all that it needs to go on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GanProgress {
    /// Steps done, each some updates of the critic and one of the generator.
    pub step: u64,
    /// Epochs that are over.
    pub epoch: usize,
    /// Steps done in the epoch that is on.
    pub batch: usize,
    /// Steps in a row with a loss that was not finite.
    pub missing: u32,
    /// What the epoch has counted.
    pub tally: GanTally,
    /// What the epoch before, or the part of it that was done, has counted.
    pub train: Option<GanTally>,
    /// What the last evaluation found.
    pub judged: Option<Distance>,
    /// The lowest distance.
    pub best: Option<BestDistance>,
    /// Where the time went.
    pub clocks: Clocks,
}

impl GanProgress {
    /// Takes an evaluation; true if it is the best so far.
    pub(super) fn judge(&mut self, found: Option<Distance>) -> bool {
        let better = found.as_ref().is_some_and(|found| {
            let best = self.best.as_ref();
            best.is_none_or(|best| found.mean < best.distance.mean)
        });
        if better && let Some(distance) = found.clone() {
            self.best = Some(BestDistance {
                step: self.step,
                distance,
            });
        }
        self.judged = found;
        better
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_first_of_the_lowest() {
        let of = |mean| {
            Some(Distance {
                mean,
                levels: Vec::new(),
            })
        };
        let mut progress = GanProgress::default();
        assert!(!progress.judge(None));
        assert!(progress.judge(of(2.0)));
        progress.step = 7;
        assert!(!progress.judge(of(2.0)));
        assert_eq!(progress.best.as_ref().unwrap().step, 0);
        assert!(progress.judge(of(1.0)));
        assert!(!progress.judge(None));
        assert_eq!((progress.best.unwrap().step, progress.judged), (7, None));
    }
}
