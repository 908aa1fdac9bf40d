//! The weights of a network as bytes.

use burn::module::Module;

use super::{StateError, Stored, encode, module_tensors, place_module};

const WHAT: &str = "weights";

/// All parameters, running statistics among them, as safetensors, named by their path in the network. The same weights
/// give the same bytes.
///
/// # Errors
///
/// [`StateError::Unstorable`] if the device fails or a parameter is not of floats.
pub fn weights_to_bytes<M: Module>(model: &M) -> Result<Vec<u8>, StateError> {
    let producer = concat!("koala-lab ", env!("CARGO_PKG_VERSION")).to_owned();
    encode(WHAT, ("producer", producer), &module_tensors(WHAT, model)?)
}

/// `model`, a network of the same form, with the parameters that [`weights_to_bytes`] gave, bit for bit. Identities,
/// devices and which parameters require a gradient stay as they are in `model`.
///
/// # Errors
///
/// [`StateError`] if the bytes are damaged, or a parameter is missing, too many, or of another shape or type.
pub fn weights_from_bytes<M: Module>(model: M, bytes: &[u8]) -> Result<M, StateError> {
    place_module(model, &Stored::read(WHAT, bytes)?, "")
}
