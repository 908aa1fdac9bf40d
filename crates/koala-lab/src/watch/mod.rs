//! `koala watch`.

mod app;
mod command;
mod curves;
mod draw;
mod fact;
mod filter;
mod pace;
mod panels;
mod record;
mod rows;
mod snapshot;
mod source;
mod state;
mod text;
mod watched;

#[cfg(test)]
mod tests;

pub use command::run;
