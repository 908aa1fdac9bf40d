//! Burn's own optimizers, to compare with.

mod optimizer;
mod record;
mod spec;

pub use optimizer::Baseline;
pub use spec::{AdamSpec, AdamWSpec, SgdSpec};
