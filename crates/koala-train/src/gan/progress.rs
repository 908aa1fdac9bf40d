//! What adversarial training counts and keeps of its evaluations.

use serde::{Deserialize, Serialize};

use super::{Distance, FoundDistance, GanLosses};
use crate::training::{Counting, Progress};

/// How far adversarial training is: a step is some updates of the critic and one of the generator.
pub type GanProgress = Progress<GanCounts>;

/// What is counted beside the steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GanCounts {
    /// What the epoch has counted.
    pub tally: GanTally,
    /// What the epoch before, or the part of it that was done, has counted.
    pub train: Option<GanTally>,
    /// What the last evaluation found.
    pub judged: Option<Distance>,
    /// The lowest distance.
    pub best: Option<BestDistance>,
}

impl GanCounts {
    /// Means over the steps of the last epoch that is over, as they were met; of the first one while it is on.
    pub fn train(&self) -> GanLosses {
        self.train.unwrap_or(self.tally).losses()
    }
}

impl Counting for GanCounts {
    type Found = FoundDistance;

    fn judge(&mut self, step: u64, found: &FoundDistance) -> bool {
        self.judged.clone_from(&found.distance);
        let Some(distance) = &found.distance else {
            return false;
        };
        let best = self.best.as_ref();
        let better = best.is_none_or(|best| distance.mean < best.distance.mean);
        if better {
            self.best = Some(BestDistance {
                step,
                distance: distance.clone(),
            });
        }
        better
    }

    fn end_epoch(&mut self, whole: bool) {
        self.train = Some(self.tally);
        if whole {
            self.tally = GanTally::default();
        }
    }
}

/// Sums of the losses of steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GanTally {
    #[serde(with = "crate::training::float")]
    critic: f64,
    #[serde(with = "crate::training::float")]
    generator: f64,
    #[serde(with = "crate::training::float")]
    wasserstein: f64,
    #[serde(with = "crate::training::float")]
    penalty: f64,
    steps: u64,
}

impl GanTally {
    /// Counts a step.
    pub fn add(&mut self, losses: GanLosses) {
        self.critic += losses.critic_loss;
        self.generator += losses.generator_loss;
        self.wasserstein += losses.wasserstein;
        self.penalty += losses.penalty;
        self.steps += 1;
    }

    /// The means; not numbers if there was no step.
    pub fn losses(&self) -> GanLosses {
        let steps = self.steps as f64;
        GanLosses {
            critic_loss: self.critic / steps,
            generator_loss: self.generator / steps,
            wasserstein: self.wasserstein / steps,
            penalty: self.penalty / steps,
        }
    }
}

/// The first of the lowest distances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestDistance {
    /// Steps that were done.
    pub step: u64,
    /// What was found.
    pub distance: Distance,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Part;

    #[test]
    fn the_best_is_the_first_of_the_lowest() {
        let found = |distance| FoundDistance {
            samples: Part::Test.into(),
            distance,
        };
        let of = |mean| {
            found(Some(Distance {
                mean,
                levels: Vec::new(),
            }))
        };
        let mut counts = GanCounts::default();
        assert!(!counts.judge(0, &found(None)));
        assert!(counts.judge(0, &of(2.0)));
        assert!(!counts.judge(7, &of(2.0)));
        assert_eq!(counts.best.as_ref().unwrap().step, 0);
        assert!(counts.judge(7, &of(1.0)));
        assert!(!counts.judge(7, &found(None)));
        assert_eq!((counts.best.unwrap().step, counts.judged), (7, None));
    }

    #[test]
    fn a_tally_counts_steps_and_comes_back() {
        let losses = |x: f64| GanLosses {
            critic_loss: x,
            generator_loss: 2.0 * x,
            wasserstein: 3.0 * x,
            penalty: 4.0 * x,
        };
        let mut tally = GanTally::default();
        assert!(tally.losses().penalty.is_nan());
        tally.add(losses(1.0));
        tally.add(losses(3.0));
        assert_eq!(tally.losses(), losses(2.0));
        tally.add(losses(f64::INFINITY));
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<GanTally>(&text).unwrap(), tally);
    }

    /// Checkpoints that were made before stay readable, and the same bytes are made of them.
    #[test]
    fn progress_is_written_as_ever() {
        let text = r#"{"step":3,"epoch":1,"batch":2,"missing":0,"tally":{"critic":1.5,"generator":-0.25,"wasserstein":"NaN","penalty":0.1,"steps":2},"train":null,"judged":{"mean":1.0,"levels":[{"height":8,"width":8,"distance":1.0}]},"best":{"step":2,"distance":{"mean":0.3,"levels":[]}},"clocks":{"seconds":1.5,"training":1.0,"optimizer":0.25,"waiting":0.1}}"#;
        let progress: GanProgress = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&progress).unwrap(), text);
        let other = text.replace("\"best\"", "\"worst\":1,\"best\"");
        assert!(serde_json::from_str::<GanProgress>(&other).is_err());
    }
}
