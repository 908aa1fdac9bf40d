//! Adversarial training: the loop and its parts, noise, losses, pictures, and a distance between sets of images.

mod distance;
mod event;
mod figures;
mod grid;
mod learner;
mod loss;
mod noise;
mod patches;
mod penalty;
mod pictures;
mod player;
mod png;
mod progress;
mod pyramid;
mod spec;
mod task;
mod trainer;

pub use distance::{DistanceError, LevelDistance, SlicedWasserstein};
pub use event::{GanEpochEvent, GanEvaluationEvent, GanStepEvent, NetworkStep, PicturesEvent};
pub use figures::{BestDistance, Distance, FoundDistance, GanLosses, GanTally, Level};
pub use grid::grid;
pub use learner::GanLearner;
pub use loss::{CriticScores, critic_losses, generator_losses};
pub use noise::{NoisePurpose, mixing_shares, noise};
pub use penalty::{gradient_penalty, mixtures};
pub use pictures::Pictures;
pub use player::Player;
pub use progress::GanProgress;
pub use spec::GanSpec;
pub use task::GanTask;
pub use trainer::{TrainedGan, train_gan};
