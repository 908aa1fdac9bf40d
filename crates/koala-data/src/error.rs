//! What can be wrong with a data set.

use std::borrow::Cow;
use std::path::PathBuf;

/// What mends a file that was published.
const FRESH_COPY: &str = "Replace it with a fresh copy of the original file";

/// A data set that cannot be used: which file, what was expected of it, what was found, and what mends it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file of a data set is in none of the folders that were looked at.
    #[error("{dataset}: no {file} {}. {remedy}", looked_in(folders))]
    Missing {
        /// Name of the data set.
        dataset: &'static str,
        /// Name of the first file that was not found.
        file: String,
        /// The folders that were looked at, in order.
        folders: Vec<PathBuf>,
        /// What the reader can do about it.
        remedy: String,
    },
    /// The operating system would not let us read a file.
    #[error("{}: cannot be read: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A file was read, but its content is not what its format asks for.
    #[error("{}: expected {expected}, found {found}. {remedy}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// What the format asks for.
        expected: String,
        /// What the file holds.
        found: String,
        /// What the reader can do about it.
        remedy: Cow<'static, str>,
    },
    /// A file or folder of the reader's own that nothing can be learned from as it is.
    #[error("{}: {fault}. {remedy}", file.display())]
    Own {
        /// The file or folder.
        file: PathBuf,
        /// What is wrong with it.
        fault: String,
        /// What the reader can do about it.
        remedy: String,
    },
    /// Parts that a data set cannot be drawn into.
    #[error("parts: {fault}")]
    Parts {
        /// What is wrong, and what would do.
        fault: String,
    },
    /// Numbers that do not make a table.
    #[error("table: {fault}")]
    Table {
        /// What is wrong, and what would do.
        fault: String,
    },
}

impl DataError {
    /// A [`DataError::Format`] with the usual remedy, a fresh copy of the file.
    pub(crate) fn format(
        file: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Format {
            file: file.into(),
            expected: expected.into(),
            found: found.into(),
            remedy: Cow::Borrowed(FRESH_COPY),
        }
    }

    /// A [`DataError::Own`].
    pub(crate) fn own(
        file: impl Into<PathBuf>,
        fault: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Own {
            file: file.into(),
            fault: fault.into(),
            remedy: remedy.into(),
        }
    }

    /// The same with another remedy, if it is a [`DataError::Format`]: for files that have no original to be copied anew.
    pub(crate) fn with_remedy(self, better: impl Into<Cow<'static, str>>) -> Self {
        match self {
            Self::Format {
                file,
                expected,
                found,
                ..
            } => Self::Format {
                file,
                expected,
                found,
                remedy: better.into(),
            },
            other => other,
        }
    }

    /// The same with another remedy, if it has the usual one: what is more exact stays.
    pub(crate) fn or_remedy(self, better: &'static str) -> Self {
        match self {
            Self::Format { ref remedy, .. } if remedy == FRESH_COPY => self.with_remedy(better),
            other => other,
        }
    }

    /// A [`DataError::Unreadable`].
    pub(crate) fn unreadable(file: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |cause| Self::Unreadable { file, cause }
    }
}

fn looked_in(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "given".to_owned();
    }
    let names: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    format!("in {}", names.join(" nor in "))
}
