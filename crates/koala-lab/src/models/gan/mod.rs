//! Networks that make images and networks that judge them.

mod critic;
mod generator;
mod layers;
mod spec;

pub use critic::Critic;
pub use generator::Generator;
pub use spec::DcganSpec;
