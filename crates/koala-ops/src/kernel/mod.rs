//! Loops over memory. The crate's `unsafe` is here and nowhere else, each block with its reason.
//!
//! Sums have a fixed number of lanes, and parallel ones fixed chunks that are added in order, so that the number of
//! threads does not decide on bits. Products are rounded before they are added only on processors that can't do without.

mod columns;
mod correlate;
mod cross_entropy;
mod drop;
mod gelu;
mod lanes;
mod layer_norm;
mod lstm_cell;
mod math;
mod matrix;
mod multiply;
mod normalise;
mod pairs;
mod rows;
mod scratch;
mod softmax;
mod sums;
mod transpose;
mod winograd;

pub(crate) use columns::{Plane, gather, scatter};
pub(crate) use correlate::{BLOCK, LINE, Lines, correlate, correlate_sums};
pub(crate) use cross_entropy::{log_sum_exp, scaled_softmax};
pub(crate) use drop::{drop_onto, drop_within, judge};
pub(crate) use gelu::{gelu_back, gelu_into};
pub(crate) use layer_norm::{RowMoments, normalise_row, normalise_row_back};
pub(crate) use lstm_cell::{lstm_cell, lstm_cell_back};
pub(crate) use matrix::{Matrix, MatrixMut};
pub(crate) use multiply::{Store, Threads, multiply};
pub(crate) use normalise::{
    Affine, Slope, centred_sums, mask_and_sum, normalise, normalise_back, normalise_back_into,
};
pub(crate) use pairs::{largest_of_four, to_largest};
pub(crate) use rows::{add, add_bias, add_bias_relu, add_scalar, mask_where_zero, sum_rows};
pub(crate) use scratch::with_scratch;
pub(crate) use softmax::{drop_marked, dropped_marked, softmax_row, softmax_row_back};
pub(crate) use sums::sum;
pub(crate) use transpose::transpose;
pub(crate) use winograd::{PLACES, Patches, Results, TILES, gather_kernels, transform_kernels};

/// Elements of a chunk of elementwise work: 128 KiB, so that what a few chunks hold fits a core's cache.
pub(crate) const CHUNK: usize = 32 * 1024;

/// Rows of `columns` elements in a chunk of about [`CHUNK`] elements; at least one.
pub(crate) fn rows_a_chunk(columns: usize) -> usize {
    (CHUNK / columns.max(1)).max(1)
}
