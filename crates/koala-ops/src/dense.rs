//! Tensors of flex as slices.

use std::ops::Deref;

use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Shape, TensorData};

/// A tensor of 32-bit floats without gaps, in row-major order. A clone shares its memory.
#[derive(Clone, Debug)]
pub(crate) struct Dense(FlexTensor);

impl Dense {
    /// A tensor of 32-bit floats as it is, or copied if its elements do not lie in order.
    pub fn of(tensor: FlexTensor) -> Self {
        Self(if tensor.is_contiguous() {
            tensor
        } else {
            tensor.to_contiguous()
        })
    }

    /// These values in this shape, of which there must be as many.
    pub fn new(values: Vec<f32>, shape: impl Into<Shape>) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    pub fn into_tensor(self) -> FlexTensor {
        self.0
    }

    pub fn shape(&self) -> &Shape {
        self.0.layout().shape()
    }

    /// The elements to write to: its own memory if nobody else holds it, else a copy.
    pub fn writable(&mut self) -> &mut [f32] {
        if !self.0.is_unique() {
            // Only what the tensor shows is copied, be it part of a larger one.
            *self = Self::new(self.to_vec(), self.shape().clone());
        }
        let range = self.range();
        &mut self.0.storage_mut()[range]
    }

    fn range(&self) -> std::ops::Range<usize> {
        let layout = self.0.layout();
        let start = layout.start_offset();
        start..start + layout.num_elements()
    }
}

impl Deref for Dense {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        debug_assert_eq!(self.0.dtype(), DType::F32);
        &self.0.storage()[self.range()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::{Device, Int, Tensor};

    fn numbered() -> Tensor<2> {
        let numbers = Tensor::<1, Int>::arange(0..12, &Device::flex());
        numbers.float().reshape([3, 4])
    }

    fn dense(tensor: Tensor<2>) -> Dense {
        Dense::of(tensor.try_into_primitive::<Flex>().unwrap())
    }

    #[test]
    fn elements_are_in_order_whatever_the_strides() {
        let found = dense(numbered().transpose());
        assert_eq!(found[..4], [0.0, 4.0, 8.0, 1.0]);
        assert_eq!(found.shape().as_slice(), [4, 3]);
        assert_eq!(dense(numbered().narrow(0, 1, 2))[..2], [4.0, 5.0]);
        assert_eq!(dense(numbered().slice(burn::tensor::s![1..1])).len(), 0);
        assert_eq!(
            dense(numbered().narrow(0, 1, 1).expand([2, 4]))[..],
            [4.0, 5.0, 6.0, 7.0, 4.0, 5.0, 6.0, 7.0]
        );
    }

    #[test]
    fn what_others_hold_is_not_written_to() {
        let held = numbered();
        let mut part = dense(held.clone().narrow(0, 1, 1));
        part.writable()[0] = 100.0;
        assert_eq!(part[..], [100.0, 5.0, 6.0, 7.0]);
        assert_eq!(dense(held)[4], 4.0);

        let mut alone = dense(numbered());
        let before = alone.as_ptr();
        alone.writable()[0] = 100.0;
        assert_eq!((alone[0], alone.as_ptr()), (100.0, before));
    }
}
