//! Event files that TensorBoard reads.

mod adversaries;
mod blocks;
mod event_file;
mod hyperparameters;
mod observer;
mod proto;
mod record;
mod scalar;
mod scalars;
#[cfg(test)]
mod tests;
mod text;

pub use observer::TensorBoard;
