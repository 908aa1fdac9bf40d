//! What runs left behind: read from their folders, measured, compared with statistics that hold, and shown.
//!
//! It knows no tensors and trains nothing: a suite's [`Listing`] says which runs belong to it and in which role, each run is
//! an ordinary run folder, and everything else ([`Comparison`], pages, tables) follows from these files alone.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod check;
mod compare;
mod comparison;
mod error;
mod gather;
mod listing;
mod overview;
pub mod page;
mod records;
mod reference;
mod statistics;
mod tables;
#[cfg(test)]
mod testing;
mod variances;

pub use check::{Checked, check};
pub use compare::compare;
pub use comparison::*;
pub use error::Error;
pub use gather::{Gathered, View, gather, gather_as};
pub use listing::*;
pub use overview::*;
pub use records::*;
pub use reference::*;
pub use tables::{csv, latex, markdown, text};
pub use variances::{VARIANCES, Variance, over_blocks, was_measured};
