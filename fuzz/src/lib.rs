//! Every reader of Koala, given whatever bytes there are.
//!
//! A [`Target`] is a reader and what to begin from. It holds if nothing panics, no more memory is taken than [`MOST`], an error says
//! something, and what can be read and is written again reads the same. `cargo test` tries each for a short time, with
//! `KOALA_CASES=6000` for minutes; `scripts/fuzz.sh` as long as one likes, guided by what inputs reach.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic)] // whatever fails here is a finding, or a test that cannot begin

mod kept;
mod session;
mod targets;

pub use session::{MOST, Session};
pub use targets::{TARGETS, Target};
