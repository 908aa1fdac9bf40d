//! The stored state of a dense optimizer.

use serde::{Deserialize, Serialize};

use super::real::Real;
use crate::demands::{MemoryKind, SLOTS};
use crate::state::FilterState;

/// Everything a dense optimizer needs to go on bit by bit, in either phase; the parameters are the caller's to store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "F: Real", deny_unknown_fields)]
pub struct DenseState<F: Real> {
    /// The filter, with its configuration, layout, phase and version.
    pub filter: FilterState,
    /// One a parameter, in the layout's order.
    pub memory: Vec<TensorMemory<F>>,
}

/// What a method stores for one parameter; empty vectors where it stores nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "F: Real", deny_unknown_fields)]
pub struct TensorMemory<F: Real> {
    /// KOALA-M and KOALA-A: velocity v. KOALA++: gradient-covariance product v'.
    pub first: Vec<F>,
    /// KOALA-M: running mean a (empty with fixed position noise). KOALA++: previous decayed gradient H'. KOALA-A: second
    /// moment s (empty without metric).
    pub second: Vec<F>,
    /// KOALA-A: the mean x̄ (empty if none is kept).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub third: Vec<F>,
}

impl<F: Real> TensorMemory<F> {
    /// Zeros for a parameter of `length` elements.
    pub(super) fn zeros(kind: MemoryKind, length: usize) -> Self {
        let [first, second, third] = lengths(kind, length).map(|length| vec![F::default(); length]);
        Self {
            first,
            second,
            third,
        }
    }

    /// Whether the vectors are those of a parameter of `length` elements.
    pub(super) fn fits(&self, kind: MemoryKind, length: usize) -> bool {
        [self.first.len(), self.second.len(), self.third.len()] == lengths(kind, length)
    }

    /// Whether all numbers are finite, as those of every step are.
    pub(super) fn is_finite(&self) -> bool {
        let finite = |number: &F| number.to_f64().is_finite();
        self.slots().into_iter().flatten().all(finite)
    }

    /// The vectors by their slots.
    pub(super) fn slots_mut(&mut self) -> [&mut [F]; SLOTS] {
        [&mut self.first, &mut self.second, &mut self.third]
    }

    /// The vectors by their slots.
    pub(super) fn slots(&self) -> [&[F]; SLOTS] {
        [&self.first, &self.second, &self.third]
    }
}

fn lengths(kind: MemoryKind, length: usize) -> [usize; SLOTS] {
    kind.slots()
        .map(|name| if name.is_some() { length } else { 0 })
}
