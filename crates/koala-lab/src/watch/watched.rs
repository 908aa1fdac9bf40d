//! What is looked at.

use std::path::Path;

use koala_compare::Error;

use super::rows::Rows;
use super::source::Source;

/// What is looked at.
pub enum Watched {
    /// One run.
    Run(Box<Source>),
    /// Runs to choose from.
    Rows(Rows),
}

impl Watched {
    /// What is in a folder.
    ///
    /// # Errors
    ///
    /// [`Error`] if there is no run in it or one cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if Rows::are_in(folder) {
            Rows::read(folder).map(Self::Rows)
        } else {
            Ok(Self::Run(Box::new(Source::open(folder)?)))
        }
    }
}
