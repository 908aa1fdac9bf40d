//! Networks as [Burn](https://burn.dev) modules, with PyTorch's initialisation drawn from a seed, their losses, and their
//! weights as bytes. What they are given is a shape or a vocabulary: they know no data set and no optimizer.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use koala_models::{Classifier, Draws, ImageShape, Mlp, MlpSpec, trainable_parameters};
//!
//! let device = Device::flex().autodiff();
//! let shape = ImageShape { channels: 1, height: 8, width: 8, classes: 10 };
//! let network = Mlp::new(&MlpSpec::default(), shape, &mut Draws::new(0, &device));
//! let images = Tensor::<4>::zeros([32, 1, 8, 8], &device);
//! let scores = network.forward(images);
//! assert_eq!((scores.dims(), trainable_parameters(&network)), ([32, 10], 17226));
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod attention;
mod autoencoder;
mod blend;
mod classifier;
mod cnn;
mod dropout;
pub mod gan;
mod init;
pub mod language;
mod layers;
#[cfg(test)]
mod learning;
mod loss;
mod mlp;
mod parameters;
mod pre_norm;
pub mod random;
mod reconstructor;
mod regressor;
mod resnet;
mod shape;
mod spec_error;
pub mod stored;
#[cfg(test)]
mod testing;
mod vit;

pub use attention::Attention;
pub use autoencoder::{Autoencoder, AutoencoderSpec};
pub use blend::{blend, with_weights_of};
pub use classifier::Classifier;
pub use cnn::{Cnn, CnnNorm, CnnSpec};
pub use dropout::Masks;
pub use init::{BATCH_NORM_MOMENTUM, Draws};
pub use loss::{binary_cross_entropy, cross_entropy, squared_error};
pub use mlp::{Mlp, MlpSpec};
pub use parameters::{
    FloatParameter, float_bytes, float_parameters, trainable, trainable_parameters,
};
pub use pre_norm::PreNormBlock;
pub use reconstructor::Reconstructor;
pub use regressor::Regressor;
pub use resnet::{Projection, ResNet, ResNetForm, ResNetSpec, ResidualBlock};
pub use shape::ImageShape;
pub use spec_error::{SpecError, at_most};
pub use vit::{Vit, VitSpec};
