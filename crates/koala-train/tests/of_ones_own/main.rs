//! Data, network and optimizer of one's own in a run: the same to the bit as what they stand for, and faults told.

#![allow(clippy::unwrap_used, clippy::panic)]

mod data;
mod losses;
mod networks;
mod refused;
mod rules;
mod support;
