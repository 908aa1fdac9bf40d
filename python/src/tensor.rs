//! A CPU tensor seen through DLPack, without a copy.

use std::ffi::{CStr, c_void};

use koala_filter::dense::Real;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const NAME: &CStr = c"dltensor";
const CPU: i32 = 1;
const FLOAT: u8 = 2;

/// `DLTensor` of DLPack 0.x and 1.x, with which a `DLManagedTensor` begins.
#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    dimensions: i32,
    type_code: u8,
    type_bits: u8,
    type_lanes: u16,
    shape: *const i64,
    strides: *const i64,
    byte_offset: u64,
}

/// The element types that the passes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F32,
    F64,
}

impl Element {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The part of a number by which rounding to this type may change it.
    pub fn rounding(self) -> f64 {
        match self {
            Self::F32 => <f32 as Real>::ROUNDING,
            Self::F64 => <f64 as Real>::ROUNDING,
        }
    }
}

/// Memory of a dense tensor: every element once, without gaps, in an order that shape and strides tell.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    address: usize,
    pub element: Element,
    pub elements: usize,
    /// Extent and stride of every dimension longer than 1: what the order of elements depends on.
    order: Vec<(i64, i64)>,
}

impl Memory {
    /// The memory behind a DLPack capsule, valid as long as the capsule lives.
    ///
    /// # Errors
    /// `TypeError` for another device or type than `float32` or `float64` on the CPU; `ValueError` for a tensor that has
    /// gaps or overlaps itself, or whose memory is not aligned.
    pub fn of(capsule: &Bound<'_, PyCapsule>) -> PyResult<Self> {
        let pointer = capsule.pointer_checked(Some(NAME))?.cast::<DlTensor>();
        // SAFETY: a capsule of this name holds a `DLManagedTensor`, which begins with its `DLTensor` (DLPack's protocol
        // for Python); the capsule outlives this function.
        let tensor = unsafe { pointer.as_ref() };
        let element = match (tensor.type_code, tensor.type_bits, tensor.type_lanes) {
            (FLOAT, 32, 1) => Element::F32,
            (FLOAT, 64, 1) => Element::F64,
            _ => return Err(PyTypeError::new_err("expected float32 or float64 tensors")),
        };
        if tensor.device_type != CPU {
            return Err(PyTypeError::new_err("expected tensors on the CPU"));
        }
        let dimensions = usize::try_from(tensor.dimensions)
            .map_err(|_| PyValueError::new_err("a tensor with a negative number of dimensions"))?;
        let shape = extents(tensor.shape, dimensions);
        let (elements, order) = if tensor.strides.is_null() {
            row_major(shape)
        } else {
            dense(shape, extents(tensor.strides, dimensions))
        }
        .ok_or_else(|| PyValueError::new_err("expected dense tensors: without gaps or overlaps"))?;
        let offset = usize::try_from(tensor.byte_offset)
            .map_err(|_| PyValueError::new_err("a tensor with an impossible offset"))?;
        let address = tensor.data.addr().wrapping_add(offset);
        if elements > 0 && (address == 0 || !address.is_multiple_of(element.bytes())) {
            return Err(PyValueError::new_err(
                "a tensor whose memory is not aligned",
            ));
        }
        // Exposed so that `slice` may make a pointer of the address again.
        tensor.data.expose_provenance();
        Ok(Self {
            address,
            element,
            elements,
            order,
        })
    }

    /// Whether the elements of both stand in the same order.
    pub fn same_order(&self, other: &Self) -> bool {
        self.element == other.element
            && self.elements == other.elements
            && (self.elements == 0 || self.order == other.order)
    }

    /// First byte and the byte after the last.
    pub fn range(&self) -> (usize, usize) {
        (
            self.address,
            self.address + self.elements * self.element.bytes(),
        )
    }

    /// # Safety
    /// `F` is the element's type; the capsule lives as long as `'a`; nothing writes to the memory meanwhile.
    pub unsafe fn slice<'a, F>(&self) -> &'a [F] {
        if self.elements == 0 {
            return &[];
        }
        let pointer = std::ptr::with_exposed_provenance(self.address);
        // SAFETY: checked in `of`: dense and aligned; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(pointer, self.elements) }
    }

    /// # Safety
    /// As [`slice`](Self::slice), and nothing else reads the memory meanwhile.
    pub unsafe fn slice_mut<'a, F>(&self) -> &'a mut [F] {
        if self.elements == 0 {
            return &mut [];
        }
        let pointer = std::ptr::with_exposed_provenance_mut(self.address);
        // SAFETY: checked in `of`: dense and aligned; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(pointer, self.elements) }
    }
}

/// The extents or strides of a tensor, in their order.
fn extents<'a>(pointer: *const i64, dimensions: usize) -> &'a [i64] {
    if dimensions == 0 || pointer.is_null() {
        return &[];
    }
    // SAFETY: DLPack: as many numbers as there are dimensions; used only while the capsule lives.
    unsafe { std::slice::from_raw_parts(pointer, dimensions) }
}

type Order = Vec<(i64, i64)>;

/// Number of elements and order of a tensor whose strides are not given: row-major.
fn row_major(shape: &[i64]) -> Option<(usize, Order)> {
    let mut strides = vec![1_i64; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at].checked_mul(shape[at].max(1))?;
    }
    dense(shape, &strides)
}

/// Number of elements and order, if every element stands once and without gaps.
fn dense(shape: &[i64], strides: &[i64]) -> Option<(usize, Order)> {
    if shape.len() != strides.len() || shape.iter().any(|&extent| extent < 0) {
        return None;
    }
    if shape.contains(&0) {
        return Some((0, Vec::new()));
    }
    let order: Order = shape
        .iter()
        .copied()
        .zip(strides.iter().copied())
        .filter(|&(extent, _)| extent > 1)
        .collect();
    let mut ascending = order.clone();
    ascending.sort_unstable_by_key(|&(_, stride)| stride);
    let mut elements = 1i64;
    for (extent, stride) in ascending {
        if stride != elements {
            return None;
        }
        elements = elements.checked_mul(extent)?;
    }
    // As many bytes as an address space can hold.
    let elements = usize::try_from(elements).ok()?;
    (elements <= isize::MAX as usize / 8).then_some((elements, order))
}
