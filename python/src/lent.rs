//! The tensors of a call, checked and lent to the passes of `koala-filter` as slices.

use std::collections::HashSet;

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
    rows: Vec<Row>,
    /// What keeps their memory.
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
        gradients: Capsules<'py>,
        memory: [Capsules<'py>; SLOTS],
    ) -> PyResult<Self> {
        let rows = rows(&positions, &parameters, &gradients, &memory)?;
        apart(&rows)?;
        let all = memory.into_iter().chain([parameters, gradients]).flatten();
        Ok(Self {
            rows,
            _capsules: all.map(Bound::unbind).collect(),
        })
    }
}

/// One tensor of the step.
struct Row {
    position: usize,
    parameters: Memory,
    gradients: Option<Memory>,
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
        self.rows
            .iter()
            .map(|row| (row.position, row.parameters.element))
    }

    /// Lends the tensors. `parameters` of them in the layout: positions must lie below.
    ///
    /// # Errors
    /// `ValueError` for a position beyond the layout.
    pub fn lend(&self, parameters: usize) -> PyResult<Slices<'_>> {
        let elements = self.rows.iter().map(|row| row.parameters.element).collect();
        let mut slices = Slices {
            f32: Vec::new(),
            f64: Vec::new(),
            elements,
        };
        for row in &self.rows {
            if row.position >= parameters {
                return Err(PyValueError::new_err("a position beyond the layout"));
            }
            match row.parameters.element {
                // SAFETY: `rows` checked that all tensors of a row have this type, `apart` that no two of them share memory
                // which is written; the capsules live as long as `self`; Python's side waits for the call.
                Element::F32 => slices.f32.push(unsafe { row.lend() }),
                // SAFETY: as above.
                Element::F64 => slices.f64.push(unsafe { row.lend() }),
            }
        }
        Ok(slices)
    }
}

fn rows(
    positions: &[usize],
    parameters: &[Bound<'_, PyCapsule>],
    gradients: &[Bound<'_, PyCapsule>],
    memory: &[Capsules<'_>; SLOTS],
) -> PyResult<Vec<Row>> {
    let count = positions.len();
    let lengths = memory.iter().map(Vec::len).chain([gradients.len()]);
    if parameters.len() != count
        || lengths
            .into_iter()
            .any(|length| length != count && length > 0)
    {
        return Err(PyValueError::new_err("lists of tensors of unequal length"));
    }
    let mut seen = HashSet::with_capacity(count);
    (0..count)
        .map(|at| {
            if !seen.insert(positions[at]) {
                return Err(PyValueError::new_err("a position twice"));
            }
            let parameters = Memory::of(&parameters[at])?;
            let beside = |list: &[Bound<'_, PyCapsule>]| -> PyResult<Option<Memory>> {
                let Some(capsule) = list.get(at) else {
                    return Ok(None);
                };
                let memory = Memory::of(capsule)?;
                if memory.same_order(&parameters) {
                    Ok(Some(memory))
                } else {
                    Err(PyValueError::new_err(
                        "a tensor with another type, shape or strides than its parameter",
                    ))
                }
            };
            let [first, second, third] = memory;
            Ok(Row {
                position: positions[at],
                gradients: beside(gradients)?,
                memory: [beside(first)?, beside(second)?, beside(third)?],
                parameters,
            })
        })
        .collect()
}

impl Row {
    /// # Safety
    /// `F` is the type of the row's tensors, which live as long as `'a`; nothing else uses their memory meanwhile, but for
    /// reading the gradients.
    unsafe fn lend<'a, F>(&self) -> Lent<'a, F> {
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
            gradients: match &self.gradients {
                // SAFETY: the caller's promise.
                Some(memory) => unsafe { memory.slice() },
                None => &[],
            },
            memory: self.memory.each_ref().map(written),
        }
    }
}

/// Checks that no memory which is written is used twice.
fn apart(rows: &[Row]) -> PyResult<()> {
    let mut ranges: Vec<(usize, usize, bool)> = Vec::with_capacity((2 + SLOTS) * rows.len());
    for row in rows {
        let written = row.memory.iter().flatten().chain([&row.parameters]);
        let written = written.map(|memory| (memory, true));
        let read = row.gradients.iter().map(|memory| (memory, false));
        ranges.extend(written.chain(read).filter_map(|(memory, written)| {
            let (start, end) = memory.range();
            (end > start).then_some((start, end, written))
        }));
    }
    ranges.sort_unstable();
    // The furthest ends so far, of all ranges and of those that are written.
    let (mut any, mut written_end) = (0, 0);
    for (start, end, written) in ranges {
        if start < written_end || (written && start < any) {
            return Err(PyValueError::new_err(
                "two of the optimizer's tensors share memory; give each parameter memory of its own",
            ));
        }
        any = any.max(end);
        if written {
            written_end = written_end.max(end);
        }
    }
    Ok(())
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
