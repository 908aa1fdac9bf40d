//! Nothing lost, nothing wrong silently, nothing let in: what the program does with files that are not its own, with its own
//! when they are damaged, and with output that cannot be written.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod beginning;
mod binding;
mod damage;
mod endless;
mod foreign_text;
mod links;
mod memory;
mod output;
mod overwrite;
mod removed;
mod standstill;
