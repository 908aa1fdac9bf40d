//! The parts of adversarial training: noise, losses, pictures, and a distance between sets of images.

mod loss;
mod noise;
mod penalty;

pub use loss::{critic_losses, generator_losses};
pub use noise::{NoisePurpose, mixing_shares, noise};
pub use penalty::{gradient_penalty, mixtures};
