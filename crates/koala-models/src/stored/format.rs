//! Named tensors to bytes and back.

use std::collections::HashMap;

use burn::tensor::{DType, TensorData, bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StateError;

/// Safetensors with these tensors and one entry of metadata: several would come in random order, and equal states must
/// give equal bytes.
pub fn encode(
    what: &'static str,
    metadata: (&str, String),
    tensors: &[(String, TensorData)],
) -> Result<Vec<u8>, StateError> {
    let unstorable = |reason: String| StateError::Unstorable { what, reason };
    let parts = tensors
        .iter()
        .map(|(name, data)| {
            let dtype = stored_type(data.dtype())
                .ok_or_else(|| unstorable(format!("'{name}' holds {:?}", data.dtype())))?;
            Ok((name, data.shape().to_vec(), dtype, little_endian(data)))
        })
        .collect::<Result<Vec<_>, StateError>>()?;
    let views = parts
        .iter()
        .map(|(name, shape, dtype, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unstorable(error.to_string()))?;
    let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1)]);
    safetensors::serialize(views, Some(metadata)).map_err(|error| unstorable(error.to_string()))
}

/// Bytes that were found whole as safetensors.
pub struct Stored<'a> {
    what: &'static str,
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

impl<'a> Stored<'a> {
    /// Checks `bytes` as a whole; `what` names them in errors.
    pub fn read(what: &'static str, bytes: &'a [u8]) -> Result<Self, StateError> {
        let damaged = |error: safetensors::SafeTensorError| StateError::Damaged {
            what,
            reason: error.to_string(),
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        Ok(Self {
            what,
            tensors,
            metadata,
        })
    }

    /// The entry of metadata with this key, which [`json`] wrote.
    pub fn header<T: DeserializeOwned>(&self, key: &str) -> Result<T, StateError> {
        let text = self.metadata.get(key).ok_or_else(|| {
            self.damaged(format!(
                "its header holds no '{key}' (something else's state?)"
            ))
        })?;
        serde_json::from_str(text)
            .map_err(|error| self.damaged(format!("'{key}' in its header: {error}")))
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names = self.tensors.names();
        names.sort_unstable();
        names
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// A tensor, which must have this shape and type.
    pub fn tensor(
        &self,
        name: &str,
        shape: &[usize],
        dtype: DType,
    ) -> Result<TensorData, StateError> {
        let view = self.view(name)?;
        if view.shape() != shape {
            let fault = format!("has shape {:?}, not {shape:?}", view.shape());
            return Err(self.fault(name, fault));
        }
        if Some(view.dtype()) != stored_type(dtype) {
            let fault = format!("holds {:?}, not {dtype:?}", view.dtype());
            return Err(self.fault(name, fault));
        }
        let (bytes, shape) = (view.data(), shape.to_vec());
        Ok(match view.dtype() {
            Dtype::F64 => TensorData::new(numbers(bytes, f64::from_le_bytes), shape),
            Dtype::F16 => TensorData::new(numbers(bytes, f16::from_le_bytes), shape),
            Dtype::BF16 => TensorData::new(numbers(bytes, bf16::from_le_bytes), shape),
            // `stored_type` knows no fifth.
            _ => TensorData::new(numbers(bytes, f32::from_le_bytes), shape),
        })
    }

    /// A tensor of 32-bit floats in whatever shape it has.
    pub fn any(&self, name: &str) -> Result<TensorData, StateError> {
        let shape = self.view(name)?.shape().to_vec();
        self.tensor(name, &shape, DType::F32)
    }

    /// The bytes of a tensor that [`bytes_tensor`] made.
    pub fn bytes(&self, name: &str) -> Result<&[u8], StateError> {
        let view = self.view(name)?;
        match view.dtype() {
            Dtype::U8 => Ok(view.data()),
            other => Err(self.fault(name, format!("holds {other:?}, not bytes"))),
        }
    }

    /// An error about the whole.
    pub fn damaged(&self, reason: String) -> StateError {
        StateError::Damaged {
            what: self.what,
            reason,
        }
    }

    /// An error about one tensor.
    pub fn fault(&self, tensor: &str, fault: String) -> StateError {
        StateError::Tensor {
            what: self.what,
            tensor: tensor.to_owned(),
            fault,
        }
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, StateError> {
        self.tensors
            .tensor(name)
            .map_err(|_| self.fault(name, "is missing".to_owned()))
    }
}

/// Text of a header.
pub fn json(what: &'static str, header: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(header).map_err(|error| StateError::Unstorable {
        what,
        reason: error.to_string(),
    })
}

/// Opaque bytes as a tensor.
pub fn bytes_tensor(bytes: Vec<u8>) -> TensorData {
    let length = bytes.len();
    TensorData::new(bytes, [length])
}

fn stored_type(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::F64 => Some(Dtype::F64),
        DType::F32 => Some(Dtype::F32),
        DType::F16 => Some(Dtype::F16),
        DType::BF16 => Some(Dtype::BF16),
        DType::U8 => Some(Dtype::U8),
        _ => None,
    }
}

fn little_endian(data: &TensorData) -> Vec<u8> {
    let mut bytes = data.as_bytes().to_vec();
    if cfg!(target_endian = "big") {
        for number in bytes.chunks_mut(data.dtype().size()) {
            number.reverse();
        }
    }
    bytes
}

fn numbers<const SIZE: usize, F>(bytes: &[u8], number: fn([u8; SIZE]) -> F) -> Vec<F> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|&bytes| number(bytes)).collect()
}
