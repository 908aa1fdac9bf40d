//! Which tensors the fused operations take: the one place that decides.

use std::cell::Cell;

use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Int, Tensor};

use crate::operation::{Operand, Operands};

thread_local! {
    /// How many [`with_burn`] this thread is inside of.
    static BURN_ONLY: Cell<usize> = const { Cell::new(0) };
}

/// Does `work` with Burn's own operations: whatever it calls of this crate, on this thread, composes them. To compare the two.
pub fn with_burn<R>(work: impl FnOnce() -> R) -> R {
    /// Leaves also if `work` panics.
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            BURN_ONLY.set(BURN_ONLY.get() - 1);
        }
    }
    BURN_ONLY.set(BURN_ONLY.get() + 1);
    let _inside = Inside;
    work()
}

/// Whether the operations of this crate take this tensor: 32-bit floats on flex, without gradient checkpointing, outside
/// [`with_burn`].
pub fn is_fused<const D: usize>(tensor: &Tensor<D>) -> bool {
    operand(tensor).is_some()
}

/// The tensor, if the fused operations take it.
pub(crate) fn operand<const D: usize>(tensor: &Tensor<D>) -> Option<Operand> {
    if BURN_ONLY.get() > 0 || tensor.dtype() != DType::F32 {
        return None;
    }
    let device = tensor.device();
    if device.is_autodiff() {
        let tensor = tensor.clone().try_into_primitive::<Autodiff<Flex>>();
        tensor.ok().map(Operand::Recorded)
    } else {
        let tensor = tensor.clone().try_into_primitive::<Flex>();
        tensor.ok().map(Operand::Plain)
    }
}

/// The tensor, if it is there and the fused operations take it. One that is missing is an empty one that wants no gradient.
pub(crate) fn optional_operand<const D: usize>(tensor: Option<&Tensor<D>>) -> Option<Operand> {
    match tensor {
        Some(tensor) => operand(tensor),
        None => Some(Operand::Plain(FlexTensor::zeros([0].into(), DType::F32))),
    }
}

/// All of them, if the fused operations take each.
pub(crate) fn operands<const N: usize>(operands: [Option<Operand>; N]) -> Option<Operands<N>> {
    let taken: Vec<Operand> = operands.into_iter().flatten().collect();
    taken.try_into().ok().map(Operands::new)
}

/// Integers on flex, of whatever width; `None` if they are elsewhere.
pub(crate) fn integers<const D: usize>(tensor: &Tensor<D, Int>) -> Option<FlexTensor> {
    let tensor = tensor.clone();
    if tensor.device().is_autodiff() {
        tensor.try_into_primitive::<Autodiff<Flex>>().ok()
    } else {
        tensor.try_into_primitive::<Flex>().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn floats_of_32_bits_on_flex_are_fused() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let tensor = Tensor::<2>::ones([2, 3], &device);
            assert!(is_fused(&tensor) && is_fused(&tensor.clone().transpose()));
            assert!(is_fused(&tensor.clone().require_grad_if(&device)));
            assert!(!is_fused(&tensor.clone().cast(DType::F64)));
            assert!(!is_fused(&tensor.cast(DType::F16)));
        }
    }

    #[test]
    fn burn_has_its_own_way_if_asked_and_only_then() {
        let tensor = Tensor::<1>::ones([2], &Device::flex());
        assert!(!with_burn(|| {
            with_burn(|| ());
            is_fused(&tensor)
        }));
        assert!(is_fused(&tensor));
        let caught = std::panic::catch_unwind(|| with_burn(|| panic!("a fault of the caller's")));
        assert!(caught.is_err() && is_fused(&tensor));
    }

    trait RequireGradIf {
        fn require_grad_if(self, device: &Device) -> Self;
    }

    impl<const D: usize> RequireGradIf for Tensor<D> {
        fn require_grad_if(self, device: &Device) -> Self {
            if device.is_autodiff() {
                self.require_grad()
            } else {
                self
            }
        }
    }
}
