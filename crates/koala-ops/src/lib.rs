//! Operations of neural networks, each one step forward and one back, for [Burn](https://burn.dev) on the processor.
//!
//! Burn composes a layer of elementary operations, each a pass over memory and a node of the graph. Here a layer is one
//! operation: it reads its input once or twice, keeps what its gradient needs and no more, and uses all threads. They are
//! functions of Burn's tensors, and take part in its automatic differentiation like Burn's own:
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use koala_ops::{Activation, linear};
//!
//! let device = Device::flex().autodiff();
//! let input = Tensor::<2>::ones([32, 8], &device);
//! let weight = Tensor::<2>::ones([8, 4], &device).require_grad();
//! let hidden = linear(input, weight.clone(), None, Activation::Relu);
//! let gradients = hidden.sum().backward();
//! assert_eq!(weight.grad(&gradients).unwrap().dims(), [8, 4]);
//! ```
//!
//! Each takes tensors of 32-bit floats on the back end flex, with or without automatic differentiation. Given anything else,
//! another device, other numbers, gradient checkpointing, it does the same with Burn's operations; so it does inside
//! [`with_burn`].
//!
//! Values do not depend on the number of threads: the cut of the work and the order of sums are functions of the shapes.

#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod activation;
mod attention;
mod batch_norm;
mod choice;
mod conv;
mod cross_entropy;
mod dense;
mod dropout;
mod gelu;
#[allow(unsafe_code)]
mod kernel;
mod layer_norm;
mod linear;
mod lstm;
mod max_pool;
pub mod nn;
mod operation;

pub use activation::Activation;
pub use attention::{Sight, attention};
pub use batch_norm::{Then, batch_norm, batch_norm_train};
pub use choice::{is_fused, with_burn};
pub use conv::{conv_transpose2d, conv2d};
pub use cross_entropy::cross_entropy;
pub use dropout::{DropoutMask, add_dropped, dropout};
pub use gelu::gelu;
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use lstm::{LstmWeights, lstm};
pub use max_pool::max_pool2d;
