//! The stored form.

use std::collections::HashMap;

use burn::tensor::{DType, FloatDType, TensorData};
use koala_filter::{FilterState, Parameter};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};
use crate::memory;
use crate::optimizer::Koala;

/// Key of the filter's state in the header.
const KEY: &str = "koala";

/// Name of a vector.
fn name(parameter: &Parameter, vector: &str) -> String {
    format!("{}/{vector}", parameter.name)
}

pub(super) fn encode(optimizer: &Koala) -> Result<Vec<u8>> {
    let unstorable = |reason: String| Error::ReadBack { reason };
    let filter = serde_json::to_string(optimizer.filter().state())
        .map_err(|error| unstorable(error.to_string()))?;
    let slots = optimizer.filter().config().memory().slots();
    let mut tensors = Vec::new();
    let parameters = optimizer.filter().layout().parameters();
    for (parameter, vectors) in parameters.iter().zip(&optimizer.memory) {
        for (vector, values) in slots.iter().zip(vectors) {
            let (Some(vector), Some(values)) = (vector, values) else {
                continue;
            };
            let data = memory::data(values, parameter.len()).map_err(unstorable)?;
            tensors.push((
                name(parameter, vector),
                parameter.shape.clone(),
                bytes(&data),
            ));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, shape, (dtype, bytes))| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unstorable(error.to_string()))?;
    let header = HashMap::from([(KEY.to_owned(), filter)]);
    safetensors::serialize(views, Some(header)).map_err(|error| unstorable(error.to_string()))
}

/// Little-endian numbers.
fn bytes(data: &TensorData) -> (Dtype, Vec<u8>) {
    let dtype = match data.dtype() {
        DType::F64 => Dtype::F64,
        _ => Dtype::F32,
    };
    let bytes = match dtype {
        _ if cfg!(target_endian = "little") => data.as_bytes().to_vec(),
        Dtype::F64 => data.iter::<f64>().flat_map(f64::to_le_bytes).collect(),
        _ => data.iter::<f32>().flat_map(f32::to_le_bytes).collect(),
    };
    (dtype, bytes)
}

/// A stored state that was found whole as a file.
pub(super) struct Stored<'a> {
    tensors: SafeTensors<'a>,
    filter: String,
    origin: &'a str,
}

pub(super) fn decode<'a>(bytes: &'a [u8], origin: &'a str) -> Result<Stored<'a>> {
    let damaged = |reason: String| Error::DamagedState {
        origin: origin.to_owned(),
        reason,
    };
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
    let filter = metadata
        .metadata()
        .as_ref()
        .and_then(|header| header.get(KEY))
        .cloned()
        .ok_or_else(|| {
            damaged("its header holds no filter state (another program's file?)".into())
        })?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(Stored {
        tensors,
        filter,
        origin,
    })
}

impl Stored<'_> {
    pub fn filter(&self) -> Result<FilterState> {
        serde_json::from_str(&self.filter).map_err(|error| Error::DamagedState {
            origin: self.origin.to_owned(),
            reason: format!("the filter state in its header cannot be read: {error}"),
        })
    }

    /// Checks that there are no tensors but the vectors of these parameters.
    pub fn check_names(&self, parameters: &[Parameter], vectors: &[&str]) -> Result<()> {
        let expected: std::collections::HashSet<_> = parameters
            .iter()
            .flat_map(|parameter| vectors.iter().map(|vector| name(parameter, vector)))
            .collect();
        let mut names = self.tensors.names();
        names.sort_unstable();
        match names.into_iter().find(|&found| !expected.contains(found)) {
            None => Ok(()),
            Some(found) => Err(self.tensor_error(found, "belongs to no parameter".into())),
        }
    }

    pub fn vector(
        &self,
        parameter: &Parameter,
        vector: &str,
        working: FloatDType,
    ) -> Result<TensorData> {
        let name = name(parameter, vector);
        let tensor = self
            .tensors
            .tensor(&name)
            .map_err(|_| self.tensor_error(&name, "is missing".into()))?;
        if tensor.shape() != parameter.shape {
            return Err(self.tensor_error(
                &name,
                format!("has shape {:?}, not {:?}", tensor.shape(), parameter.shape),
            ));
        }
        let expected = match working {
            FloatDType::F64 => Dtype::F64,
            _ => Dtype::F32,
        };
        if tensor.dtype() != expected {
            return Err(self.tensor_error(
                &name,
                format!("holds {:?}, not {expected:?}", tensor.dtype()),
            ));
        }
        let elements = [parameter.len()];
        let data = match expected {
            Dtype::F64 => TensorData::new(numbers(tensor.data(), f64::from_le_bytes), elements),
            _ => TensorData::new(numbers(tensor.data(), f32::from_le_bytes), elements),
        };
        // Those of every step are: a step that would make others is a missing measurement.
        if !data.iter::<f64>().all(f64::is_finite) {
            return Err(self.tensor_error(&name, "holds a number that is not finite".into()));
        }
        Ok(data)
    }

    fn tensor_error(&self, tensor: &str, reason: String) -> Error {
        Error::DamagedTensor {
            origin: self.origin.to_owned(),
            tensor: tensor.to_owned(),
            reason,
        }
    }
}

fn numbers<const SIZE: usize, F>(bytes: &[u8], number: fn([u8; SIZE]) -> F) -> Vec<F> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| number(bytes))
        .collect()
}
