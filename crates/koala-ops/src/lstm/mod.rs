//! A layer of a long short-term memory over a window of time.

mod back;
mod blocks;
mod composed;
mod forward;
mod operation;
mod sizes;
mod weights;

pub use operation::lstm;
pub use weights::LstmWeights;
