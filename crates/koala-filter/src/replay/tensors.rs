//! Tensors of a recording, by name, with type, shape and finiteness checked.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::Fault;
use crate::dense::Real;

/// The element type of a recording's parameters.
pub(super) trait Recorded: Real {
    /// Its name in the file.
    const TYPE: Dtype;
    /// Numbers from their bytes.
    fn decode(bytes: &[u8]) -> Vec<Self>;
}

impl Recorded for f32 {
    const TYPE: Dtype = Dtype::F32;
    fn decode(bytes: &[u8]) -> Vec<Self> {
        numbers(bytes, Self::from_le_bytes)
    }
}

impl Recorded for f64 {
    const TYPE: Dtype = Dtype::F64;
    fn decode(bytes: &[u8]) -> Vec<Self> {
        numbers(bytes, Self::from_le_bytes)
    }
}

fn numbers<const SIZE: usize, F>(bytes: &[u8], number: fn([u8; SIZE]) -> F) -> Vec<F> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|&bytes| number(bytes)).collect()
}

/// The tensors of a recording whose parameters are `F`.
pub(super) struct Tensors<'a> {
    pub file: &'a SafeTensors<'a>,
}

impl Tensors<'_> {
    /// A tensor of parameters' type, of one step; `None` if there is none of that name.
    pub fn optional<F: Recorded>(
        &self,
        tensor: &str,
        shape: &[usize],
        step: usize,
    ) -> Result<Option<Vec<F>>, Fault> {
        let Ok(view) = self.file.tensor(tensor) else {
            return Ok(None);
        };
        if view.dtype() != F::TYPE {
            return Err(wrong_type::<F>(tensor, &view));
        }
        check_shape(tensor, &view, shape)?;
        let numbers = F::decode(view.data());
        match numbers.iter().find(|number| !number.to_f64().is_finite()) {
            Some(number) => Err(not_finite(tensor, step, number.to_f64())),
            None => Ok(Some(numbers)),
        }
    }

    /// A tensor of parameters' type, of one step.
    pub fn required<F: Recorded>(
        &self,
        tensor: &str,
        shape: &[usize],
        step: usize,
    ) -> Result<Vec<F>, Fault> {
        self.optional(tensor, shape, step)?
            .ok_or_else(|| missing(tensor))
    }

    /// N numbers a step, over all steps. In a single-precision recording they may be of either type.
    pub fn series<F: Recorded, const N: usize>(
        &self,
        tensor: &str,
        shape: &[usize],
    ) -> Result<Vec<[f64; N]>, Fault> {
        let view = self.file.tensor(tensor).map_err(|_| missing(tensor))?;
        let numbers = match view.dtype() {
            Dtype::F64 => f64::decode(view.data()),
            Dtype::F32 if F::TYPE == Dtype::F32 => f32::decode(view.data())
                .into_iter()
                .map(f64::from)
                .collect(),
            _ => return Err(wrong_type::<F>(tensor, &view)),
        };
        check_shape(tensor, &view, shape)?;
        let (rows, _) = numbers.as_chunks();
        for (index, row) in rows.iter().enumerate() {
            if let Some(&number) = row.iter().find(|number| !number.is_finite()) {
                return Err(not_finite(tensor, index + 1, number));
            }
        }
        Ok(rows.to_vec())
    }

    /// One number a step, none below 0.
    pub fn measured<F: Recorded>(&self, tensor: &str, steps: usize) -> Result<Vec<f64>, Fault> {
        let numbers = self.series::<F, 1>(tensor, &[steps])?;
        match numbers.iter().position(|&[number]| number < 0.0) {
            Some(index) => Err(Fault::Value {
                tensor: tensor.to_owned(),
                step: index + 1,
                value: numbers[index][0],
                requirement: "not negative",
            }),
            None => Ok(numbers.into_iter().map(|[number]| number).collect()),
        }
    }
}

fn missing(tensor: &str) -> Fault {
    Fault::MissingTensor {
        tensor: tensor.to_owned(),
    }
}

fn wrong_type<F: Recorded>(tensor: &str, view: &TensorView) -> Fault {
    Fault::ElementType {
        tensor: tensor.to_owned(),
        expected: if F::TYPE == Dtype::F32 { "F32" } else { "F64" },
        found: view.dtype().to_string(),
    }
}

fn check_shape(tensor: &str, view: &TensorView, expected: &[usize]) -> Result<(), Fault> {
    if view.shape() == expected {
        Ok(())
    } else {
        Err(Fault::Shape {
            tensor: tensor.to_owned(),
            expected: expected.to_vec(),
            found: view.shape().to_vec(),
        })
    }
}

fn not_finite(tensor: &str, step: usize, value: f64) -> Fault {
    Fault::Value {
        tensor: tensor.to_owned(),
        step,
        value,
        requirement: "finite",
    }
}
