//! The gates of an LSTM, for one text at one time.

use multiversion::multiversion;

use super::math::{sigmoid, tanh};

/// The gates i, f, g, o of `gates`, side by side, before their functions.
macro_rules! quarters {
    ($gates:expr, $hidden:expr) => {{
        let (input, rest) = $gates.split_at_mut($hidden);
        let (forget, rest) = rest.split_at_mut($hidden);
        let (change, output) = rest.split_at_mut($hidden);
        (input, forget, change, &mut output[..$hidden])
    }};
}

/// The cell and the hidden state after the `before` cell; `gates`, i, f, g, o side by side, become their functions' values.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn lstm_cell(gates: &mut [f32], before: &[f32], cell: &mut [f32], hidden: &mut [f32]) {
    let size = before.len();
    let (cell, hidden) = (&mut cell[..size], &mut hidden[..size]);
    let (input, forget, change, output) = quarters!(gates, size);
    for at in 0..size {
        input[at] = sigmoid(input[at]);
        forget[at] = sigmoid(forget[at]);
        change[at] = tanh(change[at]);
        output[at] = sigmoid(output[at]);
        cell[at] = forget[at] * before[at] + input[at] * change[at];
        hidden[at] = output[at] * tanh(cell[at]);
    }
}

/// The gradient of the gates before their functions in place of their values, and that of the cell before in place of that of
/// the `cell` from later times. `hidden` is the gradient of the hidden state.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn lstm_cell_back(
    gates: &mut [f32],
    before: &[f32],
    cell: &[f32],
    hidden: &[f32],
    cell_gradient: &mut [f32],
) {
    let size = before.len();
    let (cell, hidden) = (&cell[..size], &hidden[..size]);
    let cell_gradient = &mut cell_gradient[..size];
    let (input, forget, change, output) = quarters!(gates, size);
    for at in 0..size {
        let (i, f, g, o) = (input[at], forget[at], change[at], output[at]);
        let shown = tanh(cell[at]);
        let through = cell_gradient[at] + hidden[at] * o * (1.0 - shown * shown);
        input[at] = through * g * i * (1.0 - i);
        forget[at] = through * before[at] * f * (1.0 - f);
        change[at] = through * i * (1.0 - g * g);
        output[at] = hidden[at] * shown * o * (1.0 - o);
        cell_gradient[at] = through * f;
    }
}
