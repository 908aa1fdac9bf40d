//! Dropout, alone or before it is added to something.

mod mask;
mod operation;

pub use mask::DropoutMask;
pub use operation::{add_dropped, dropout};
