//! The optimizers over plain slices of `f32` or `f64`: in place, in fused passes, in parallel, and with the same bits
//! whatever the number of threads.

mod gradient;
pub mod kernel;
mod lent;
mod optimizer;
pub mod passes;
mod pieces;
mod real;
mod scratch;
mod state;

pub use gradient::Gradient;
pub use optimizer::Koala;
pub use pieces::PIECE;
pub use real::Real;
pub use state::{DenseState, TensorMemory};
