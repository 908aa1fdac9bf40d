//! Weights that training starts from, in place of drawn ones.

use std::path::Path;

use burn::module::Module;
use koala_models::float_parameters;
use koala_models::stored::{StateError, Stored, weights_from_bytes};
use koala_system::{Entry, read};

use super::{ConfigError, RunConfig};
use crate::Error;

/// No network's weights come near it.
const LARGEST: u64 = 1 << 40;
/// Tensors that are named of those that do not fit.
const NAMED: usize = 8;

impl RunConfig {
    /// The same with the SHA-256 of the weights that it starts from, by which it is bound to them, if it starts from any.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if they cannot be read; [`Error::Config`] if they are other ones than the configuration says.
    pub fn pinned(mut self) -> Result<Self, Error> {
        if !self.init_weights.is_empty() {
            let file = Path::new(&self.init_weights);
            let found = Entry::of_file(file).map_err(Error::file(file, "read"))?;
            self.check_initial(&found.sha256)?;
            self.init_weights_sha256 = found.sha256;
        }
        Ok(self)
    }

    /// Whether the file has what it had when the configuration was made.
    fn check_initial(&self, found: &str) -> Result<(), ConfigError> {
        let noted = &self.init_weights_sha256;
        match noted.is_empty() || noted == found {
            true => Ok(()),
            false => Err(ConfigError::Value {
                origin: "init-weights".to_owned(),
                fault: format!(
                    "{} has changed since the configuration was made (its SHA-256 is {found}, not {noted}): bring the old file back, or \
                     leave init-weights-sha256 out for a run from the new one",
                    self.init_weights
                ),
            }),
        }
    }

    /// The network with the weights to start from, if there are any.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] which names the tensors that do not fit; [`Error::File`] and [`Error::Config`] as [`RunConfig::pinned`].
    pub(super) fn initial<M: Module>(&self, model: M) -> Result<M, Error> {
        if self.init_weights.is_empty() {
            return Ok(model);
        }
        let file = Path::new(&self.init_weights);
        let bytes = read(file, LARGEST).map_err(Error::file(file, "read"))?;
        self.check_initial(&Entry::of(&bytes).sha256)?;
        let refused = |cause: String| Error::Weights {
            file: file.to_owned(),
            cause,
        };
        let faults = misfits(&model, &bytes).map_err(|cause| {
            refused(match cause {
                StateError::Damaged { reason, .. } => format!(
                    "is no file of weights, or a damaged one ({reason}): name the model.safetensors, or best.safetensors, of a run"
                ),
                other => other.to_string(),
            })
        })?;
        if !faults.is_empty() {
            let more = match faults.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let named: Vec<&str> = faults.iter().take(NAMED).map(String::as_str).collect();
            return Err(refused(format!(
                "holds the weights of another network than {}: {}{more}. Start from a run of the same network on data of the same form",
                self.model.name(),
                named.join("; ")
            )));
        }
        weights_from_bytes(model, &bytes).map_err(|cause| refused(cause.to_string()))
    }
}

/// What does not fit of weights for a network, a line each.
fn misfits<M: Module>(model: &M, bytes: &[u8]) -> Result<Vec<String>, StateError> {
    let stored = Stored::read("weights", bytes)?;
    let mut faults = Vec::new();
    let parameters = float_parameters(model);
    for parameter in &parameters {
        let name = &parameter.path;
        if !stored.has(name) {
            faults.push(format!("'{name}' is missing"));
        } else if let Err(fault) = stored.tensor(name, &parameter.shape, parameter.dtype) {
            let found = stored
                .any(name)
                .map(|data| format!("{:?}", &data.shape()[..]));
            faults.push(match found {
                Ok(found) => format!("'{name}' has shape {found}, not {:?}", parameter.shape),
                Err(_) => fault.to_string(),
            });
        }
    }
    for name in stored.names() {
        if !parameters.iter().any(|parameter| parameter.path == name) {
            faults.push(format!("'{name}' belongs to no parameter"));
        }
    }
    Ok(faults)
}
