//! An LSTM forward through a window.

use rayon::prelude::*;

use super::blocks::{blocks, by_block};
use super::sizes::{Layer, Sizes};
use crate::kernel::{Matrix, MatrixMut, Store, Threads, add, lstm_cell, multiply};

/// What a window leaves.
pub(super) struct Window {
    /// The values of the gates, i, f, g and o side by side: `[time, batch, 4 hidden]`.
    pub gates: Vec<f32>,
    /// `[time, batch, hidden]`.
    pub cells: Vec<f32>,
    /// The hidden states: `[time, batch, hidden]`.
    pub outputs: Vec<f32>,
}

/// Runs through the window: one product for the inputs of all times, then, in each block, one for each time.
pub(super) fn forward(layer: &Layer, bias: &[f32]) -> Window {
    let sizes = layer.sizes;
    let Sizes { batch, hidden, .. } = sizes;
    let mut gates = vec![0.0; sizes.rows() * sizes.gates()];
    multiply(
        &mut MatrixMut::new(&mut gates, sizes.rows(), sizes.gates()),
        Store::Set,
        Matrix::new(&layer.input, sizes.rows(), sizes.inputs),
        Matrix::new(&layer.input_weight, sizes.inputs, sizes.gates()),
        Threads::All,
    );
    let mut cells = vec![0.0; sizes.rows() * hidden];
    let mut outputs = vec![0.0; sizes.rows() * hidden];

    let blocks = blocks(batch);
    by_block(&mut gates, &blocks, sizes.gates())
        .into_par_iter()
        .zip(by_block(&mut cells, &blocks, hidden))
        .zip(by_block(&mut outputs, &blocks, hidden))
        .zip(&blocks)
        .for_each(|(((gates, cells), outputs), block)| {
            let own = block.range(0, batch, hidden);
            let mut before: [&[f32]; 2] = [&layer.hidden[own.clone()], &layer.cell[own]];
            for ((gates, cell), output) in gates.into_iter().zip(cells).zip(outputs) {
                multiply(
                    &mut MatrixMut::new(gates, block.texts, sizes.gates()),
                    Store::Add,
                    Matrix::new(before[0], block.texts, hidden),
                    Matrix::new(&layer.hidden_weight, hidden, sizes.gates()),
                    Threads::One,
                );
                let texts = gates.chunks_exact_mut(sizes.gates());
                let texts = texts.zip(before[1].chunks_exact(hidden));
                let results = cell.chunks_exact_mut(hidden);
                let results = results.zip(output.chunks_exact_mut(hidden));
                for ((gates, before), (cell, output)) in texts.zip(results) {
                    add(gates, bias);
                    lstm_cell(gates, before, cell, output);
                }
                before = [output, cell];
            }
        });
    Window {
        gates,
        cells,
        outputs,
    }
}
