//! Reductions and updates on the memory of the flex back end: in place, in parallel, with the same bits whatever the
//! number of threads. The passes themselves are those of [`koala_filter::dense::kernel`].

mod gather;
mod passes;
mod spans;

pub(crate) use passes::{Moved, Readings, Reduced, advance, average, displace};
