//! Networks as Burn modules, with PyTorch's initialisation drawn from a seed.

mod blend;
mod classifier;
mod cnn;
mod dropout;
pub mod gan;
mod init;
pub mod language;
mod loss;
mod mlp;
mod parameters;
mod resnet;
mod spec;
mod spec_error;
#[cfg(test)]
pub(crate) mod testing;

pub use blend::blend;
pub(crate) use blend::with_weights_of;
pub use classifier::Classifier;
pub use cnn::{Cnn, CnnSpec};
pub use dropout::Masks;
pub(crate) use init::BATCH_NORM_MOMENTUM;
pub use init::Draws;
pub use loss::cross_entropy;
pub use mlp::{Mlp, MlpSpec};
pub use parameters::trainable_parameters;
pub(crate) use parameters::{FloatParameter, float_bytes, float_parameters, trainable};
pub use resnet::{Projection, ResNet, ResNetForm, ResNetSpec, ResidualBlock};
pub use spec::ModelSpec;
pub use spec_error::SpecError;
