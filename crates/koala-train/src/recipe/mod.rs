//! Recipes: experiments as data, embedded in the program.

mod embedded;
mod experiment;

pub use embedded::{NAMES, text_of};
pub use experiment::{About, Recipe};
