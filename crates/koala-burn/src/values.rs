//! The values of one tensor, its rank and its autodiff association forgotten.

use burn::Tensor;
use burn::backend::flex::FlexTensor;
use burn::backend::{DispatchDevice, Flex};
use burn::tensor::{DType, Device, FloatDType};

/// Which of the two implementations of reductions and updates is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdatePath {
    /// Memory is worked on directly, in place and in parallel, where that is possible (`f32` on the device `flex`), and
    /// by tensor operations elsewhere.
    #[default]
    Automatic,
    /// Tensor operations everywhere, for every device and type.
    Generic,
}

/// A tensor's values: as memory of the flex back end, or as a flat tensor of any device.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// `f32`, of any rank and layout.
    Flex(FlexTensor),
    /// Flat.
    Any(Tensor<1>),
}

impl Values {
    pub fn new<const D: usize>(tensor: Tensor<D>, path: UpdatePath) -> Self {
        let tensor = tensor.inner();
        let raw = path == UpdatePath::Automatic && tensor.dtype() == DType::F32 && on_flex(&tensor);
        if raw {
            match tensor.clone().try_into_primitive::<Flex>() {
                Ok(values) => {
                    drop(tensor);
                    return Self::Flex(values);
                }
                Err(_) => debug_assert!(false, "an f32 tensor on flex is a flex tensor"),
            }
        }
        let elements = tensor.shape().num_elements();
        Self::Any(tensor.reshape([elements]))
    }

    /// As a tensor of the given shape.
    pub fn into_tensor<const D: usize>(self, shape: [usize; D]) -> Tensor<D> {
        match self {
            Self::Flex(values) => Tensor::<1>::from_primitive::<Flex>(
                values.reshape([shape.iter().product::<usize>()].into()),
            )
            .reshape(shape),
            Self::Any(values) => values.reshape(shape),
        }
    }

    /// The flex memory, if it is that.
    pub fn as_flex_mut(&mut self) -> Option<&mut FlexTensor> {
        match self {
            Self::Flex(values) => Some(values),
            Self::Any(_) => None,
        }
    }

    /// A handle on the flex memory, if it is that.
    pub fn as_flex(&self) -> Option<FlexTensor> {
        match self {
            Self::Flex(values) => Some(values.clone()),
            Self::Any(_) => None,
        }
    }

    /// The flat tensor, if it is that.
    pub fn as_any(&self) -> Option<Tensor<1>> {
        match self {
            Self::Any(values) => Some(values.clone()),
            Self::Flex(_) => None,
        }
    }

    /// Bytes of its elements.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Flex(values) => values.layout().num_elements() * size_of::<f32>(),
            Self::Any(values) => values.shape().num_elements() * values.dtype().size(),
        }
    }

    /// As flex memory if `self` is already that, or can be without a change of type.
    pub fn into_kind_of(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any(values), Self::Flex(_)) => Self::new(values, UpdatePath::Automatic),
            (Self::Flex(values), Self::Any(_)) => {
                let elements = values.layout().num_elements();
                Self::Any(Self::Flex(values).into_tensor([elements]))
            }
            (values, _) => values,
        }
    }
}

/// Whether it lies in flex's memory.
pub(crate) fn on_flex<const D: usize>(tensor: &Tensor<D>) -> bool {
    matches!(tensor.device().as_dispatch(), DispatchDevice::Flex(_))
}

/// The type in which a parameter of type `dtype` is worked on and its vectors are kept: at least `f32`.
pub(crate) fn working_type(dtype: DType) -> FloatDType {
    match dtype {
        DType::F64 => FloatDType::F64,
        _ => FloatDType::F32,
    }
}

/// `tensor` on another device and in another type, if it is not there already.
pub(crate) fn placed<const D: usize>(
    tensor: Tensor<D>,
    device: &Device,
    dtype: FloatDType,
) -> Tensor<D> {
    let tensor = if tensor.device() == *device {
        tensor
    } else {
        tensor.to_device(device)
    };
    if tensor.dtype() == DType::from(dtype) {
        tensor
    } else {
        tensor.cast(dtype)
    }
}
