//! The passes over memory, each over one piece of one tensor, elementwise or summing. Adapters whose tensors can be
//! seen as slices use them too. All slices of a call must have the same length (but for those said to be empty); the
//! shortest decides. `memory` is what the method stores, by the [slots](crate::MemoryKind::slots) of its kind, empty where
//! it stores nothing or a pass has no use for it.
//!
//! Compiled several times, for wider vectors where the processor has them. The bits are the same: elements are independent,
//! sums have a fixed number of lanes, and no multiplication is fused with an addition but where its product is exact.

mod adaptive;
mod advance;
mod average;
mod displace;
mod metric;
mod reduce;
mod sums;
mod terms;
mod weigh;

pub use advance::advance;
pub use average::average;
pub use displace::displace;
pub use reduce::reduce;
pub use weigh::weigh;
