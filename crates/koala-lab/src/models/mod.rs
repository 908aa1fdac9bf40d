//! Networks as Burn modules, with PyTorch's initialisation drawn from a seed.

mod classifier;
mod cnn;
mod dropout;
mod init;
pub mod language;
mod mlp;
mod parameters;
mod resnet;
mod spec;
#[cfg(test)]
mod testing;

pub use classifier::Classifier;
pub use cnn::{Cnn, CnnSpec};
pub use dropout::Masks;
pub use init::Draws;
pub use mlp::{Mlp, MlpSpec};
pub use parameters::trainable_parameters;
pub(crate) use parameters::{Trainable, trainable};
pub use resnet::{Projection, ResNet, ResNetForm, ResNetSpec, ResidualBlock};
pub use spec::ModelSpec;
