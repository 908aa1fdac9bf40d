//! Loops over memory. The crate's `unsafe` is here and nowhere else, each block with its reason.
//!
//! Sums have a fixed number of lanes, and parallel ones fixed chunks that are added in order, so that neither the
//! instructions of the processor nor the number of threads decide on bits.

mod columns;
mod matrix;
mod multiply;
mod normalise;
mod pairs;
mod rows;
mod scratch;
mod sums;

pub(crate) use columns::{Plane, gather, scatter};
pub(crate) use matrix::{Matrix, MatrixMut};
pub(crate) use multiply::{Store, Threads, multiply};
pub(crate) use normalise::{
    Affine, Slope, centred_sums, mask_and_sum, normalise, normalise_back, normalise_back_into,
};
pub(crate) use pairs::{largest_of_four, to_largest};
pub(crate) use rows::{add, add_bias, add_bias_relu, add_scalar, mask_where_zero, sum_rows};
pub(crate) use scratch::with_scratch;
pub(crate) use sums::sum;

/// Elements of a chunk of elementwise work: 128 KiB, so that what a few chunks hold fits a core's cache.
pub(crate) const CHUNK: usize = 32 * 1024;

/// Rows of `columns` elements in a chunk of about [`CHUNK`] elements; at least one.
pub(crate) fn rows_a_chunk(columns: usize) -> usize {
    (CHUNK / columns.max(1)).max(1)
}
