//! Runs that are stopped and go on: to the same bits as without the stop, and to others without the memory of the optimizer.

#![allow(clippy::unwrap_used, clippy::panic)]

mod cases;
mod cold;
mod contents;
mod logs;
mod pieces;
mod stops;
