//! What is not as the format says.

use std::path::{Path, PathBuf};

/// Something in a folder that is not as the format says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the folder that lacks it.
    pub path: PathBuf,
    /// Its line, from 1, if it is one line's.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(to, ", line {line}")?;
        }
        write!(to, ": {}", self.what)
    }
}

/// What is told of a folder so far.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) found: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, path: &Path, line: Option<usize>, what: impl Into<String>) {
        self.found.push(Fault {
            path: path.to_owned(),
            line,
            what: what.into(),
        });
    }
}
