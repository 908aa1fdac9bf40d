//! The tensors of a call, checked and lent to the passes of `koala-filter` as slices.

use koala_filter::SLOTS;
use koala_filter::dense::passes::Lent;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::tensor::{Element, Memory};

/// DLPack capsules of the tensors of a call: one list each, empty where a method or a pass has no use for it, else one
/// tensor for each position. `memory`: such a list for each slot of the method's memory.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Tensors<'py> {
    positions: Vec<usize>,
    parameters: Vec<Bound<'py, PyCapsule>>,
    gradients: Vec<Bound<'py, PyCapsule>>,
    memory: [Vec<Bound<'py, PyCapsule>>; SLOTS],
}

/// One tensor of the call.
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

impl Tensors<'_> {
    /// Lends the tensors. `parameters` of them in the layout: positions must lie below.
    ///
    /// # Errors
    /// `ValueError` for tensors that do not fit each other or share memory; as [`Memory::of`].
    pub fn lend(&self, parameters: usize) -> PyResult<Slices<'_>> {
        let rows = self.rows(parameters)?;
        apart(&rows)?;
        let elements = rows.iter().map(|row| row.parameters.element).collect();
        let mut slices = Slices {
            f32: Vec::new(),
            f64: Vec::new(),
            elements,
        };
        for row in &rows {
            match row.parameters.element {
                // SAFETY: `rows` checked that all tensors of a row have this type, `apart` that no two of the call share
                // memory which is written; the capsules live as long as `self`; Python's side waits for the call.
                Element::F32 => slices.f32.push(unsafe { row.lend() }),
                // SAFETY: as above.
                Element::F64 => slices.f64.push(unsafe { row.lend() }),
            }
        }
        Ok(slices)
    }

    fn rows(&self, parameters: usize) -> PyResult<Vec<Row>> {
        let count = self.positions.len();
        let mut beside = self.memory.iter().chain([&self.gradients]);
        if self.parameters.len() != count
            || beside.any(|list| list.len() != count && !list.is_empty())
        {
            return Err(PyValueError::new_err("lists of tensors of unequal length"));
        }
        let mut seen = vec![false; parameters];
        (0..count)
            .map(|at| {
                let position = self.positions[at];
                match seen.get_mut(position) {
                    Some(seen) if !*seen => *seen = true,
                    _ => {
                        return Err(PyValueError::new_err(
                            "a position twice, or beyond the layout",
                        ));
                    }
                }
                let parameters = Memory::of(&self.parameters[at])?;
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
                let [first, second, third] = &self.memory;
                Ok(Row {
                    position,
                    gradients: beside(&self.gradients)?,
                    memory: [beside(first)?, beside(second)?, beside(third)?],
                    parameters,
                })
            })
            .collect()
    }
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
