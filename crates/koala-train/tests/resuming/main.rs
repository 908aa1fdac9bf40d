//! Training that is stopped and goes on in another program gives the same bits; states that do not fit are errors.

#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod lookahead;
mod support;
mod trajectories;
