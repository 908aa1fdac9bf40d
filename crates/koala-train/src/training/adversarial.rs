//! What adversarial training tells while it goes: plain numbers and pictures, as one log holds them beside those of all training.

use koala_filter::StepReport;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Pictures, Samples};

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
#[derive(Debug, Clone, Default, Serialize)]
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

/// A distance between made and real images, [`SlicedWasserstein`](crate::gan::SlicedWasserstein).
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
    pub(crate) fn of(levels: Vec<Level>) -> Option<Self> {
        let sum: f64 = levels.iter().map(|level| level.distance).sum();
        let mean = sum / levels.len() as f64;
        mean.is_finite().then_some(Self { mean, levels })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_over_the_levels() {
        let level = |distance| Level {
            height: 8,
            width: 8,
            distance,
        };
        let distance = Distance::of(vec![level(1.0), level(2.0)]).unwrap();
        assert_eq!((distance.mean, distance.levels.len()), (1.5, 2));
        assert_eq!(Distance::of(Vec::new()), None);
        assert_eq!(Distance::of(vec![level(f64::NAN)]), None);
        let found = FoundDistance {
            samples: Samples::Test,
            distance: Distance::of(vec![level(1.0)]),
        };
        assert_eq!(
            serde_json::to_string(&found).unwrap(),
            r#"{"test_distance":{"mean":1.0,"levels":[{"height":8,"width":8,"distance":1.0}]}}"#
        );
    }
}
