//! What is counted and found in adversarial training.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::LevelDistance;
use crate::training::Samples;

/// Losses of both networks: means over the steps of an epoch, as they were met. None of them says how good the images are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GanLosses {
    /// Of the critic, the weighted penalty in it.
    pub critic_loss: f64,
    /// Of the generator: minus the critic's mean score of its images.
    pub generator_loss: f64,
    /// The critic's mean score of real images minus that of made ones: its estimate of the Wasserstein distance, up to the
    /// scale of its gradients.
    pub wasserstein: f64,
    /// The gradient penalty without its weight, near 0 if the critic's gradients are near 1.
    pub penalty: f64,
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

/// A distance between made and real images, [`SlicedWasserstein`](super::SlicedWasserstein).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    /// The mean over the levels.
    pub mean: f64,
    /// At each level, the images' own size first.
    pub levels: Vec<Level>,
}

/// The distance at one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Height of the images at this level.
    pub height: usize,
    /// Width of the images at this level.
    pub width: usize,
    /// The distance.
    pub distance: f64,
}

impl Distance {
    /// The distance of these levels; nothing if it is not a finite number.
    pub(super) fn of(levels: &[LevelDistance]) -> Option<Self> {
        let sum: f64 = levels.iter().map(|level| level.distance).sum();
        let mean = sum / levels.len() as f64;
        mean.is_finite().then(|| Self {
            mean,
            levels: levels
                .iter()
                .map(|level| Level {
                    height: level.height,
                    width: level.width,
                    distance: level.distance,
                })
                .collect(),
        })
    }
}

/// The distance from the real images of one part of the data. Written as `test_distance` or `validation_distance`.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundDistance {
    /// What the real images were.
    pub samples: Samples,
    /// The distance; nothing if none was asked for, or the generator made something that is not a number.
    pub distance: Option<Distance>,
}

impl FoundDistance {
    /// The number that matters, in words.
    pub fn headline(&self) -> String {
        match &self.distance {
            Some(distance) => format!("distance {:.4}", distance.mean),
            None => "distance unknown".to_owned(),
        }
    }
}

impl Serialize for FoundDistance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&format!("{}_distance", self.samples.name()), &self.distance)?;
        map.end()
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

    fn level(distance: f64) -> LevelDistance {
        LevelDistance {
            height: 8,
            width: 8,
            distance,
        }
    }

    #[test]
    fn the_mean_is_over_the_levels() {
        let distance = Distance::of(&[level(1.0), level(2.0)]).unwrap();
        assert_eq!((distance.mean, distance.levels.len()), (1.5, 2));
        assert_eq!(Distance::of(&[]), None);
        assert_eq!(Distance::of(&[level(f64::NAN)]), None);
        let found = FoundDistance {
            samples: Samples::Test,
            distance: Distance::of(&[level(1.0)]),
        };
        assert_eq!(
            serde_json::to_string(&found).unwrap(),
            r#"{"test_distance":{"mean":1.0,"levels":[{"height":8,"width":8,"distance":1.0}]}}"#
        );
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
}
