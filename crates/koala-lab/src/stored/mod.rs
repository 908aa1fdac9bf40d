//! States as named tensors: safetensors in memory, checked name by name when read.

mod error;
mod format;
mod module;
mod weights;

pub use error::StateError;
pub(crate) use format::{Stored, bytes_tensor, encode, json};
pub(crate) use module::{module_tensors, place_module};
pub use weights::{weights_from_bytes, weights_to_bytes};
