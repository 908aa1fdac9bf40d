//! A parameter tensor as it is lent to a pass.

use crate::demands::SLOTS;

/// One parameter tensor, lent for a pass. Its slices have the same length and the same order of elements, whichever that
/// is; those that a pass or a method has no use for are empty.
#[derive(Debug)]
pub struct Lent<'a, F> {
    /// Its position in the layout.
    pub position: usize,
    /// x.
    pub parameters: &'a mut [F],
    /// g.
    pub gradients: &'a [F],
    /// What the method stores, by the [slots](crate::MemoryKind::slots) of its kind.
    pub memory: [&'a mut [F]; SLOTS],
}

impl<F> Lent<'_, F> {
    /// The same, lent on for as long as this is borrowed: for a pass that is not the last.
    pub fn again(&mut self) -> Lent<'_, F> {
        Lent {
            position: self.position,
            parameters: self.parameters,
            gradients: self.gradients,
            memory: self.memory.each_mut().map(|memory| &mut **memory),
        }
    }
}
