//! Networks as Burn modules, with PyTorch's initialisation drawn from a seed.

mod classifier;
mod cnn;
mod count;
mod dropout;
pub mod gan;
mod init;
pub mod language;
mod mlp;
mod resnet;
mod spec;
mod spec_error;
#[cfg(test)]
pub(crate) mod testing;

pub use classifier::Classifier;
pub use cnn::{Cnn, CnnSpec};
pub use count::trainable_parameters;
pub use dropout::Masks;
pub use init::Draws;
pub use mlp::{Mlp, MlpSpec};
pub use resnet::{Projection, ResNet, ResNetForm, ResNetSpec, ResidualBlock};
pub use spec::ModelSpec;
pub use spec_error::SpecError;
