//! Networks as Burn modules, with PyTorch's initialisation drawn from a seed.

mod classifier;
mod cnn;
mod init;
mod mlp;
mod spec;

pub use classifier::Classifier;
pub use cnn::{Cnn, CnnSpec};
pub use init::Draws;
pub use mlp::{Mlp, MlpSpec};
pub use spec::ModelSpec;
