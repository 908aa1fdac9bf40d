//! Recorded trajectories through `koala_filter::replay`: the recordings themselves, other settings, faulty copies.

#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod recordings;
mod settings;
mod support;
