//! `koala compare` and `koala sensitivity`, from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod reference;
mod runs;
#[cfg(unix)]
mod stops;
