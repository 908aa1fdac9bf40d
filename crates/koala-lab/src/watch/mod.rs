//! `koala watch`.

mod app;
mod command;
mod curves;
mod draw;
mod filter;
mod pace;
mod record;
mod rows;
mod snapshot;
mod source;
mod state;
mod text;

#[cfg(test)]
mod tests;

pub use command::{WatchArguments, run};
