//! Attention of positions to each other.

mod composed;
mod item;
mod operation;

pub use operation::{Sight, attention};
