//! Trained weights on disk.

use std::ffi::OsStr;
use std::path::Path;

use burn::module::Module;
use koala_models::stored::{weights_from_bytes, weights_to_bytes};
use koala_system::read;

use super::durable::write_whole;
use crate::Error;

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
    let bytes = read(file, u64::MAX).map_err(|cause| fault(file, &cause))?;
    *model = weights_from_bytes(model.clone(), &bytes).map_err(|cause| fault(file, &cause))?;
    Ok(())
}

fn fault(file: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Weights {
        file: file.to_owned(),
        cause: cause.to_string(),
    }
}
