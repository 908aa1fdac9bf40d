//! A parameter tensor as it is lent to a pass.

use std::mem::take;

use super::pieces::PIECE;
use crate::demands::SLOTS;

/// One parameter tensor, lent for a pass. Its slices have the same length and the same order of elements, whichever that
/// is; those that a pass or a method has no use for are empty.
#[derive(Debug)]
pub struct Lent<'a, F> {
    /// Its position in the layout.
    pub position: usize,
    /// x.
    pub parameters: &'a mut [F],
    /// g, if there is one.
    pub gradients: Option<&'a [F]>,
    /// What the method stores, by the [slots](crate::MemoryKind::slots) of its kind.
    pub memory: [&'a mut [F]; SLOTS],
}

/// A piece of one tensor.
pub(super) struct Piece<'a, F> {
    /// The tensor's position in the layout.
    pub position: usize,
    pub parameters: &'a mut [F],
    pub gradients: Option<&'a [F]>,
    pub memory: [&'a mut [F]; SLOTS],
}

impl<F> Lent<'_, F> {
    /// All of it, as one piece.
    pub(super) fn whole(&mut self) -> Piece<'_, F> {
        Piece {
            position: self.position,
            parameters: self.parameters,
            gradients: self.gradients,
            memory: self.memory.each_mut().map(|memory| &mut **memory),
        }
    }

    /// Its pieces, in order.
    pub(super) fn pieces(&mut self) -> Vec<Piece<'_, F>> {
        let Piece {
            position,
            parameters,
            mut gradients,
            mut memory,
        } = self.whole();
        let pieces = parameters.chunks_mut(PIECE).map(|parameters| {
            let length = parameters.len();
            let gradient = gradients.map(|all| {
                let (part, rest) = all.split_at(length.min(all.len()));
                gradients = Some(rest);
                part
            });
            Piece {
                position,
                parameters,
                gradients: gradient,
                memory: memory.each_mut().map(|memory| {
                    let all = take(memory);
                    let (part, rest) = all.split_at_mut(length.min(all.len()));
                    *memory = rest;
                    part
                }),
            }
        });
        pieces.collect()
    }
}

impl<F> Piece<'_, F> {
    /// The memory, to be read.
    pub fn read(&self) -> [&[F]; SLOTS] {
        self.memory.each_ref().map(|memory| &**memory)
    }
}
