//! The tensors of a call, checked and lent to the passes of `koala-filter` as slices.

use std::collections::HashSet;
use std::sync::Arc;

use koala_filter::SLOTS;
use koala_filter::dense::passes::Lent;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::tensor::{Element, Memory};

/// DLPack capsules of the tensors of a step: one list each, empty where a method or a pass has no use for it.
type Capsules<'py> = Vec<Bound<'py, PyCapsule>>;

/// The tensors of a step, checked once for all of its passes. They stay where they are for as long as this is kept.
#[pyclass(name = "Lent", module = "koala_optim._native", frozen)]
pub(crate) struct Tensors {
    standing: Arc<Standing>,
    /// One for each row, or none.
    gradients: Vec<Memory>,
    /// What keeps their memory.
    _capsules: Vec<Py<PyCapsule>>,
}

/// What is the same from step to step: parameters and the method's memory.
struct Standing {
    rows: Vec<Row>,
    /// Their memory, all of it written: first bytes and the bytes after the last, in order.
    written: Vec<(usize, usize)>,
    _capsules: Vec<Py<PyCapsule>>,
}

#[pymethods]
impl Tensors {
    /// Of all lists but those that are empty, one tensor for each position. `memory`: such a list for each slot of the method's
    /// memory.
    ///
    /// # Errors
    /// `ValueError` for tensors that do not fit each other or share memory; as [`Memory::of`].
    #[new]
    fn new<'py>(
        positions: Vec<usize>,
        parameters: Capsules<'py>,
        memory: [Capsules<'py>; SLOTS],
    ) -> PyResult<Self> {
        let rows = rows(&positions, &parameters, &memory)?;
        let written = apart(&rows)?;
        let all = memory.into_iter().chain([parameters]).flatten();
        Ok(Self {
            standing: Arc::new(Standing {
                rows,
                written,
                _capsules: all.map(Bound::unbind).collect(),
            }),
            gradients: Vec::new(),
            _capsules: Vec::new(),
        })
    }

    /// The same tensors, with a gradient each.
    ///
    /// # Errors
    /// As `new`.
    fn with_gradients(&self, gradients: Capsules<'_>) -> PyResult<Self> {
        let rows = &self.standing.rows;
        if gradients.len() != rows.len() {
            return Err(unequal());
        }
        let found = gradients
            .iter()
            .zip(rows)
            .map(|(capsule, row)| beside(&row.parameters, capsule))
            .collect::<PyResult<Vec<_>>>()?;
        if found
            .iter()
            .any(|memory| overlaps(&self.standing.written, memory.range()))
        {
            return Err(shared());
        }
        Ok(Self {
            standing: Arc::clone(&self.standing),
            gradients: found,
            _capsules: gradients.into_iter().map(Bound::unbind).collect(),
        })
    }
}

/// One tensor with what belongs to it.
struct Row {
    position: usize,
    parameters: Memory,
    memory: [Option<Memory>; SLOTS],
}

/// The tensors of a call, apart by type, with the order in which they were given.
pub(crate) struct Slices<'a> {
    pub f32: Vec<Lent<'a, f32>>,
    pub f64: Vec<Lent<'a, f64>>,
    elements: Vec<Element>,
}

impl Tensors {
    /// Position and type of each tensor.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (usize, Element)> {
        self.standing
            .rows
            .iter()
            .map(|row| (row.position, row.parameters.element))
    }

    /// Lends the tensors. `parameters` of them in the layout: positions must lie below.
    ///
    /// # Errors
    /// `ValueError` for a position beyond the layout.
    pub fn lend(&self, parameters: usize) -> PyResult<Slices<'_>> {
        let rows = &self.standing.rows;
        let mut slices = Slices {
            f32: Vec::new(),
            f64: Vec::new(),
            elements: rows.iter().map(|row| row.parameters.element).collect(),
        };
        for (at, row) in rows.iter().enumerate() {
            if row.position >= parameters {
                return Err(PyValueError::new_err("a position beyond the layout"));
            }
            let gradient = self.gradients.get(at);
            match row.parameters.element {
                // SAFETY: `beside` checked that all tensors of a row have this type, `apart` and `overlaps` that no two of them
                // share memory which is written; the capsules live as long as `self`; Python's side waits for the call.
                Element::F32 => slices.f32.push(unsafe { row.lend(gradient) }),
                // SAFETY: as above.
                Element::F64 => slices.f64.push(unsafe { row.lend(gradient) }),
            }
        }
        Ok(slices)
    }
}

fn rows(
    positions: &[usize],
    parameters: &[Bound<'_, PyCapsule>],
    memory: &[Capsules<'_>; SLOTS],
) -> PyResult<Vec<Row>> {
    let count = positions.len();
    if parameters.len() != count
        || memory
            .iter()
            .any(|list| list.len() != count && !list.is_empty())
    {
        return Err(unequal());
    }
    let mut seen = HashSet::with_capacity(count);
    (0..count)
        .map(|at| {
            if !seen.insert(positions[at]) {
                return Err(PyValueError::new_err("a position twice"));
            }
            let parameters = Memory::of(&parameters[at])?;
            let of = |list: &Capsules<'_>| {
                let capsule = list.get(at);
                capsule
                    .map(|capsule| beside(&parameters, capsule))
                    .transpose()
            };
            let [first, second, third] = memory;
            Ok(Row {
                position: positions[at],
                memory: [of(first)?, of(second)?, of(third)?],
                parameters,
            })
        })
        .collect()
}

/// The memory of a tensor that belongs to a parameter.
///
/// # Errors
/// `ValueError` if it does not fit; as [`Memory::of`].
fn beside(parameters: &Memory, capsule: &Bound<'_, PyCapsule>) -> PyResult<Memory> {
    let memory = Memory::of(capsule)?;
    if memory.same_order(parameters) {
        Ok(memory)
    } else {
        Err(PyValueError::new_err(
            "a tensor with another type, shape or strides than its parameter",
        ))
    }
}

fn unequal() -> PyErr {
    PyValueError::new_err("lists of tensors of unequal length")
}

fn shared() -> PyErr {
    PyValueError::new_err(
        "two of the optimizer's tensors share memory; give each parameter memory of its own",
    )
}

impl Row {
    /// # Safety
    /// `F` is the type of the row's tensors, which live as long as `'a`; nothing else uses their memory meanwhile, but for
    /// reading the gradient.
    unsafe fn lend<'a, F>(&self, gradient: Option<&Memory>) -> Lent<'a, F> {
        // SAFETY: the caller's promise.
        let written = |memory: &Option<Memory>| -> &'a mut [F] {
            match memory {
                // SAFETY: the caller's promise.
                Some(memory) => unsafe { memory.slice_mut() },
                None => &mut [],
            }
        };
        Lent {
            position: self.position,
            // SAFETY: the caller's promise.
            parameters: unsafe { self.parameters.slice_mut() },
            // SAFETY: the caller's promise.
            gradients: gradient.map(|memory| unsafe { memory.slice() }),
            memory: self.memory.each_ref().map(written),
        }
    }
}

/// Checks that no memory which is written is used twice; returns all of it, in order.
fn apart(rows: &[Row]) -> PyResult<Vec<(usize, usize)>> {
    let mut ranges: Vec<_> = rows
        .iter()
        .flat_map(|row| row.memory.iter().flatten().chain([&row.parameters]))
        .map(Memory::range)
        .filter(|(start, end)| end > start)
        .collect();
    ranges.sort_unstable();
    if ranges.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return Err(shared());
    }
    Ok(ranges)
}

/// Whether a range lies on any of these, which are in order and apart from each other.
fn overlaps(ranges: &[(usize, usize)], (start, end): (usize, usize)) -> bool {
    let after = ranges.partition_point(|range| range.1 <= start);
    end > start && ranges.get(after).is_some_and(|range| range.0 < end)
}

impl Slices<'_> {
    /// Results of both types in the order in which the tensors were given.
    pub fn merge<R>(elements: &[Element], of_f32: Vec<R>, of_f64: Vec<R>) -> Vec<R> {
        let (mut of_f32, mut of_f64) = (of_f32.into_iter(), of_f64.into_iter());
        elements
            .iter()
            .filter_map(|element| match element {
                Element::F32 => of_f32.next(),
                Element::F64 => of_f64.next(),
            })
            .collect()
    }

    /// The types in the order in which the tensors were given.
    pub fn elements(&mut self) -> Vec<Element> {
        std::mem::take(&mut self.elements)
    }
}
