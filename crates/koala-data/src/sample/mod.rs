//! Small made data sets in the original formats, to try every reader, recipe and network without the real ones.
//!
//! They can be learned: a picture shows its class as the place and the colour of a spot, a text follows a grammar.

mod formats;
mod pictures;
mod sentences;
mod write;

#[cfg(test)]
pub(crate) use formats::{gzip, idx_file, npy_file, npz_file};
pub use write::write;
