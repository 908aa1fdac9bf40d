//! How sums over a row are cut.

/// Partial sums of a row, each over every so many-th element, added in order at the end.
pub(crate) const LANES: usize = 16;
