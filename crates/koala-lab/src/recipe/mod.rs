//! Recipes: experiments as data, embedded in the program.

mod embedded;
mod recipe;

pub use embedded::{NAMES, text_of};
pub use recipe::{About, Recipe};
