//! Trained weights, as bytes and on disk.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use burn::module::Module;

use super::write_whole;
use crate::Error;
use crate::stored::{StateError, Stored, encode, module_tensors, place_module};

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

/// Writes what [`weights_to_bytes`] gives. The file appears whole or not at all.
///
/// # Errors
///
/// [`Error::Weights`] if there is nothing to be written, [`Error::File`] if it cannot be.
pub fn write_weights<M: Module>(model: &M, file: &Path) -> Result<(), Error> {
    let bytes = weights_to_bytes(model).map_err(|cause| fault(file, &cause))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    match file.file_name().and_then(OsStr::to_str) {
        Some(name) => write_whole(folder, name, &bytes),
        None => Err(fault(file, &"is not the name of a file")),
    }
}

/// Reads the parameters that [`write_weights`] wrote into a network of the same form.
///
/// # Errors
///
/// [`Error::Weights`] if the file cannot be read or holds other parameters; `model` is then as it was.
pub fn read_weights<M: Module>(model: &mut M, file: &Path) -> Result<(), Error> {
    let bytes = fs::read(file).map_err(|cause| fault(file, &cause))?;
    *model = weights_from_bytes(model.clone(), &bytes).map_err(|cause| fault(file, &cause))?;
    Ok(())
}

fn fault(file: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Weights {
        file: file.to_owned(),
        cause: cause.to_string(),
    }
}
