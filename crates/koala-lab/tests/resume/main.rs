//! Runs that are stopped and go on, through the real program.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod kills;
mod longer;
mod messages;
#[cfg(unix)]
mod signals;
