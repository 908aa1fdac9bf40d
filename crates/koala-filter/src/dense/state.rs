//! The stored state of a dense optimizer.

use serde::{Deserialize, Serialize};

use super::real::Real;
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
    /// KOALA-M: velocity v. KOALA++: gradient-covariance product v'.
    pub first: Vec<F>,
    /// KOALA-M: running mean a (empty with fixed position noise). KOALA++: previous decayed gradient H'.
    pub second: Vec<F>,
}

impl<F: Real> TensorMemory<F> {
    /// Zeros for a parameter of `length` elements, in as many vectors as `names` has.
    pub(super) fn zeros(vectors: usize, length: usize) -> Self {
        let vector = |index: usize| vec![F::default(); if index < vectors { length } else { 0 }];
        Self {
            first: vector(0),
            second: vector(1),
        }
    }

    /// Whether the vectors are those of a parameter of `length` elements.
    pub(super) fn fits(&self, vectors: usize, length: usize) -> bool {
        let expected = |index: usize| if index < vectors { length } else { 0 };
        self.first.len() == expected(0) && self.second.len() == expected(1)
    }
}
