//! What the tests share: runs of any configuration on invented gradients, and the equations written down plainly.

#![allow(dead_code, unused_imports)]

mod plain;
mod problem;
mod strategies;

pub use plain::{Plain, PlainConfig, PlainMethod};
pub use problem::{Problem, dot, noise, run, slices, step};
pub use strategies::{configs, lengths, methods, options, with_options};
