//! The report as one HTML file that needs nothing else: no network, no other file.

mod chart;
mod clock;
mod curves;
mod document;
mod dots;
mod drawing;
mod embed;
mod figures;
mod filter;
mod forest;
mod glance;
mod heat;
mod matrix;
mod numbers;
#[cfg(test)]
mod palette;
mod pictures;
mod profiles;
mod ranking;
mod reference;
mod resample;
mod svg;
mod tables;
#[cfg(test)]
mod tests;
mod tuning;
mod verdict;
mod zoom;

pub use chart::HUES;
pub use document::html;
pub use numbers::plain;
pub use pictures::{Picture, pictures};

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
