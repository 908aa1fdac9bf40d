//! The report as one HTML file that needs nothing else: no network, no other file.

mod chart;
mod clock;
mod curves;
mod document;
mod drawing;
mod embed;
mod figures;
mod filter;
mod forest;
mod heat;
mod numbers;
mod profiles;
mod reference;
mod resample;
mod tables;
#[cfg(test)]
mod tests;
mod tuning;
mod verdict;

pub use document::html;
pub use numbers::plain;

use std::path::PathBuf;

use crate::{Error, gather};

/// The page of suites, or of any runs, see [`gather`].
///
/// # Errors
///
/// [`Error`] as of [`gather`], or if the page cannot be put together.
pub fn of(paths: &[PathBuf]) -> Result<String, Error> {
    let gathered = gather(paths)?;
    html(&gathered.comparison, &gathered.root)
}
