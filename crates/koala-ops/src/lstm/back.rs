//! An LSTM back through a window.

use rayon::prelude::*;

use super::blocks::{Block, blocks, by_block};
use super::sizes::{Layer, Sizes};
use crate::kernel::{Matrix, MatrixMut, Store, Threads, add, lstm_cell_back, multiply, transpose};

/// What gradients go back through, `[time, batch, hidden]` each.
pub(super) struct Passed<'a> {
    pub layer: &'a Layer,
    pub cells: &'a [f32],
    /// The gradient of the hidden states.
    pub output: &'a [f32],
}

/// Replaces the values of the gates, `[time, batch, 4 hidden]`, by the gradients of what their functions were applied to, and
/// the gradients of the last hidden state and the last cell, `[batch, hidden]` each, by those of the ones before the window.
pub(super) fn back(passed: &Passed, gates: &mut [f32], [of_hidden, of_cell]: [&mut [f32]; 2]) {
    let layer = passed.layer;
    let hidden = layer.sizes.hidden;
    let width = layer.sizes.gates();
    // A product by it is faster with its rows in order, and there is one for every time.
    let mut weight = vec![0.0; layer.hidden_weight.len()];
    transpose(&mut weight, &layer.hidden_weight, width);
    let blocks = blocks(layer.sizes.batch);
    by_block(gates, &blocks, width)
        .into_par_iter()
        .zip(by_block(of_hidden, &blocks, hidden))
        .zip(by_block(of_cell, &blocks, hidden))
        .zip(&blocks)
        .for_each(|(((mut gates, of_hidden), of_cell), block)| {
            // A state is of one time.
            for (of_hidden, of_cell) in of_hidden.into_iter().zip(of_cell) {
                for (time, gates) in gates.iter_mut().enumerate().rev() {
                    passed.step(*block, time, gates, [of_hidden, of_cell]);
                    multiply(
                        &mut MatrixMut::new(of_hidden, block.texts, hidden),
                        Store::Set,
                        Matrix::new(gates, block.texts, width),
                        Matrix::new(&weight, width, hidden),
                        Threads::One,
                    );
                }
            }
        });
}

impl Passed<'_> {
    /// The gradients of a block's gates at one time in place of their values, and that of the cell before in place of the one
    /// after.
    fn step(
        &self,
        block: Block,
        time: usize,
        gates: &mut [f32],
        [of_hidden, of_cell]: [&mut [f32]; 2],
    ) {
        let Sizes { batch, hidden, .. } = self.layer.sizes;
        let at = |time| block.range(time, batch, hidden);
        let before = match time.checked_sub(1) {
            Some(time) => &self.cells[at(time)],
            None => &self.layer.cell[at(0)],
        };
        add(of_hidden, &self.output[at(time)]);
        let cells = before
            .chunks_exact(hidden)
            .zip(self.cells[at(time)].chunks_exact(hidden));
        let gradients = of_hidden
            .chunks_exact(hidden)
            .zip(of_cell.chunks_exact_mut(hidden));
        let gates = gates.chunks_exact_mut(4 * hidden);
        for ((gates, (before, cell)), (of_hidden, of_cell)) in gates.zip(cells).zip(gradients) {
            lstm_cell_back(gates, before, cell, of_hidden, of_cell);
        }
    }
}
