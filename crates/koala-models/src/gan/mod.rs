//! Networks that make images and networks that judge them, the noise they start from and what they lose.

mod critic;
mod generator;
mod layers;
mod loss;
mod noise;
mod penalty;
mod spec;

pub use critic::Critic;
pub use generator::Generator;
pub use loss::{CriticScores, critic_losses, generator_losses};
pub use noise::{NoisePurpose, mixing_shares, noise};
pub use penalty::{gradient_penalty, mixtures};
pub use spec::DcganSpec;
