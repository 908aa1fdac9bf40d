//! A recording held in memory, to be changed and written again.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use koala_filter::replay::{Replay, ReplayError, replay};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/trajectories")
        .join(name)
        .with_extension("safetensors")
}

#[derive(Clone)]
pub struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn f64(shape: &[usize], numbers: &[f64]) -> Self {
        Self {
            dtype: Dtype::F64,
            shape: shape.to_vec(),
            bytes: numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    pub fn f32(shape: &[usize], numbers: &[f32]) -> Self {
        Self {
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            bytes: numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    pub fn numbers(&self) -> Vec<f64> {
        match self.dtype {
            Dtype::F64 => self
                .bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            Dtype::F32 => self
                .bytes
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                .collect(),
            other => panic!("{other}"),
        }
    }

    /// Changes one number by a fraction of the largest in the tensor.
    pub fn nudge(&mut self, index: usize, fraction: f64) {
        let mut numbers = self.numbers();
        let largest = numbers.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        numbers[index] += fraction * largest;
        *self = match self.dtype {
            Dtype::F64 => Self::f64(&self.shape, &numbers),
            _ => Self::f32(
                &self.shape,
                &numbers.iter().map(|&x| x as f32).collect::<Vec<_>>(),
            ),
        };
    }
}

#[derive(Clone, Default)]
pub struct Recording {
    pub metadata: HashMap<String, String>,
    pub tensors: BTreeMap<String, Tensor>,
}

impl Recording {
    pub fn load(name: &str) -> Self {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let tensors = file
            .iter()
            .map(|(name, view)| {
                let tensor = Tensor {
                    dtype: view.dtype(),
                    shape: view.shape().to_vec(),
                    bytes: view.data().to_vec(),
                };
                (name.to_owned(), tensor)
            })
            .collect();
        Self {
            metadata: header.metadata().clone().unwrap(),
            tensors,
        }
    }

    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name}"))
    }

    pub fn set(&mut self, field: &str, value: &str) -> &mut Self {
        self.metadata.insert(field.to_owned(), value.to_owned());
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, tensor)| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap();
            (name.as_str(), view)
        });
        safetensors::serialize(views, Some(self.metadata.clone())).unwrap()
    }

    pub fn replay(&self) -> Result<Replay, ReplayError> {
        replay_bytes(&self.bytes())
    }
}

/// Replays the bytes as a file of their own.
pub fn replay_bytes(bytes: &[u8]) -> Result<Replay, ReplayError> {
    let file = tempfile::Builder::new()
        .prefix("copy")
        .suffix(".safetensors")
        .tempfile()
        .unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    replay(file.path())
}
