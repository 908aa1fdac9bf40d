//! Small made data sets, in the original formats and as one brings one's own, to try every reader, recipe and network
//! without the real ones.
//!
//! They can be learned: a picture shows its class as the place and the colour of a spot, a text follows a grammar.

mod formats;
mod own;
mod pictures;
mod sentences;
mod write;

#[cfg(test)]
pub(crate) use formats::{gzip, idx_file, npy_file, npz_file};
pub use own::{write_image_folder, write_table};
pub use write::write;
