//! The parts of adversarial training: noise, losses, pictures, and a distance between sets of images.

mod distance;
mod grid;
mod loss;
mod noise;
mod patches;
mod penalty;
mod pictures;
mod png;
mod pyramid;

pub use distance::{DistanceError, LevelDistance, SlicedWasserstein};
pub use grid::write_grid;
pub use loss::{critic_losses, generator_losses};
pub use noise::{NoisePurpose, mixing_shares, noise};
pub use penalty::{gradient_penalty, mixtures};
pub use pictures::Pictures;
