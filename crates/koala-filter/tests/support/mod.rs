//! What the tests share: runs of any configuration on invented gradients, and the equations written down plainly.

#![allow(dead_code, unused_imports)]

mod plain;
mod plain_adaptive;
mod problem;
mod strategies;

pub use plain::{Plain, PlainConfig, PlainMethod};
pub use problem::{Problem, dot, noise, run, slices, step};
pub use strategies::{block_methods, configs, lengths, methods, options, with_options};
