//! A comparison as tables, in several notations.

mod arms;
mod choices;
pub mod csv;
mod data;
mod document;
mod evidence;
pub mod latex;
pub mod markdown;
mod reference;
#[cfg(test)]
mod reference_tests;
mod table;
#[cfg(test)]
mod tests;
pub mod text;
mod tidy;

pub(crate) use choices::table as choices;
use document::{Document, write};
pub(crate) use evidence::of as evidence;
pub(crate) use reference::tables as reference;
pub(crate) use table::Table;
use table::{Column, Writer};

/// Text of others on one line: its ends of lines are spaces.
fn on_one_line(text: &str) -> String {
    let words = text.split(['\n', '\t']).map(koala_system::visible);
    words.collect::<Vec<_>>().join(" ")
}
