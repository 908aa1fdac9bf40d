//! Adversarial training: its step in the loop that all training shares, noise, losses, pictures, and a distance between sets
//! of images.

mod adversaries;
mod distance;
mod grid;
mod learner;
mod patches;
mod png;
mod progress;
mod pyramid;
mod spec;
mod task;

pub use adversaries::{TrainedGan, train_gan};
pub use distance::{DistanceError, LevelDistance, SlicedWasserstein};
pub use grid::grid;
pub use learner::GanLearner;
pub use progress::{BestDistance, GanCounts, GanProgress, GanTally};
pub use spec::GanSpec;
pub use task::GanTask;

pub use crate::training::{
    Distance, FoundDistance, GanEpochEvent, GanEvaluationEvent, GanLosses, GanStepEvent, Level,
    NetworkStep, Pictures, PicturesEvent, Player,
};
