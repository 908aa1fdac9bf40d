//! States as named tensors: safetensors in memory, checked name by name when read.

mod error;
mod format;
mod module;

pub use error::StateError;
pub(crate) use format::{Stored, bytes_tensor, encode, json};
pub(crate) use module::{module_tensors, place_module};
