//! Memory that a step needs and that is kept for the next one.

use std::panic::AssertUnwindSafe;

use super::lent::Lent;
use super::real::Real;
use crate::workspace::Workspace;

/// What a step works on. It is no part of an optimizer: a copy begins without, and two optimizers do not differ by it.
#[derive(Debug, Default)]
pub(super) struct Scratch<F: Real> {
    pub workspace: Workspace,
    /// Empty between passes, so that nothing broken can be seen in it.
    tensors: AssertUnwindSafe<Vec<Lent<'static, F>>>,
}

impl<F: Real> Scratch<F> {
    /// The tensors in memory that was kept.
    pub fn filled<'a>(&mut self, tensors: impl Iterator<Item = Lent<'a, F>>) -> Vec<Lent<'a, F>> {
        let mut kept = of_another_life(std::mem::take(&mut self.tensors.0));
        kept.extend(tensors);
        kept
    }

    /// Keeps the memory of the tensors for the next time.
    pub fn keep(&mut self, tensors: Vec<Lent<'_, F>>) {
        self.tensors.0 = of_another_life(tensors);
    }
}

/// The memory of `tensors`, empty: a vector that is mapped to one of the same layout keeps its own.
fn of_another_life<'a, F: Real>(mut tensors: Vec<Lent<'_, F>>) -> Vec<Lent<'a, F>> {
    tensors.clear();
    tensors.into_iter().map_while(|_| None).collect()
}

impl<F: Real> Clone for Scratch<F> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<F: Real> PartialEq for Scratch<F> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
