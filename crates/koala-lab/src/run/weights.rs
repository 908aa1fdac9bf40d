//! Trained weights on disk.

use std::path::Path;

use burn::store::{ModuleSnapshot, SafetensorsStore};

use crate::Error;

/// Writes all parameters as safetensors, named by their path in the network. The file appears whole or not at all.
///
/// # Errors
///
/// [`Error::Weights`] if it cannot be written.
pub fn write_weights<M: ModuleSnapshot>(model: &M, file: &Path) -> Result<(), Error> {
    // A single entry of metadata: several come in random order, and equal runs must give equal files.
    let mut store = SafetensorsStore::from_file(file)
        .overwrite(true)
        .clear_metadata()
        .metadata("producer", concat!("koala-lab ", env!("CARGO_PKG_VERSION")));
    model.save_into(&mut store).map_err(|e| fault(file, &e))
}

/// Reads the parameters that [`write_weights`] wrote into a network of the same form.
///
/// # Errors
///
/// [`Error::Weights`] if the file cannot be read or holds other parameters.
pub fn read_weights<M: ModuleSnapshot>(model: &mut M, file: &Path) -> Result<(), Error> {
    let mut store = SafetensorsStore::from_file(file);
    model
        .load_from(&mut store)
        .map(|_| ())
        .map_err(|e| fault(file, &e))
}

fn fault(file: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Weights {
        file: file.to_owned(),
        cause: cause.to_string(),
    }
}
