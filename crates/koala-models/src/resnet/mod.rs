//! Residual networks in the form for small images: a 3 x 3 stem of stride 1 and no maximum after it.

mod block;
mod network;
mod spec;

pub use block::{Projection, ResidualBlock};
pub use network::ResNet;
pub use spec::{ResNetForm, ResNetSpec};
