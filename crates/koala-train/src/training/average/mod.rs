//! Averages of the weights on their way, for evaluation.

mod either;
mod ema;
mod record;
mod spec;
mod statistics;
mod swa;

pub use either::Average;
pub use ema::Ema;
pub use spec::AverageSpec;
pub(crate) use statistics::enough;
pub use statistics::recompute_statistics;
pub use swa::Swa;
