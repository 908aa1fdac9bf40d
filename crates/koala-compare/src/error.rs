//! Everything that can go wrong in a comparison, and whose fault it is.

use std::path::PathBuf;

use koala_data::DataError;
use koala_train::Kind;
use koala_train::device::DeviceError;
use koala_train::run::ConfigError;

/// What went wrong, with its cause and its remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A run, or what it needs.
    #[error(transparent)]
    Train(#[from] koala_train::Error),
    /// What runs left behind cannot be read.
    #[error(transparent)]
    Report(#[from] koala_report::Error),
    /// The folder for a comparison holds something else.
    #[error(
        "{}: the folder holds files that are no comparison's. Choose another --out", folder.display()
    )]
    NotASuite {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds a comparison on other samples of your own.
    #[error(
        "{}: the samples of '{data}' are other ones than its runs learned from (SHA-256 {was} then, {is} now). Give the old ones, choose \
         another folder, or replace it to go on without what was done (Campaign::replacing)",
        folder.display()
    )]
    OtherSamples {
        /// The folder.
        folder: PathBuf,
        /// What they are called.
        data: String,
        /// The SHA-256 that the runs noted.
        was: String,
        /// That of the samples that are there.
        is: String,
    },
    /// The folder holds another comparison, whose runs would be in no listing any more.
    #[error(
        "{}: the folder holds another comparison, and {lost} of its runs are not part of this one ({example}): they would be in \
         no report any more. Choose another --out, ask for them too, or give --replace to go on without them (they stay in runs/)",
        folder.display()
    )]
    OtherComparison {
        /// The folder.
        folder: PathBuf,
        /// How many runs.
        lost: usize,
        /// One of them, in words.
        example: String,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Train(error) => error.kind(),
            // They come of a name that was asked for.
            Self::Report(
                koala_report::Error::NoReference { .. }
                | koala_report::Error::ReferenceWithoutRuns { .. },
            )
            | Self::OtherComparison { .. } => Kind::Usage,
            _ => Kind::Failure,
        }
    }

    /// As [`koala_train::Error::file`].
    pub fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = koala_train::Error::file(path, action);
        move |cause| Self::Train(error(cause))
    }
}

/// Errors of training, which a comparison passes on.
macro_rules! from_training {
    ($($cause:ty),+) => {$(
        impl From<$cause> for Error {
            fn from(error: $cause) -> Self {
                Self::Train(error.into())
            }
        }
    )+};
}

from_training!(ConfigError, DataError, DeviceError);
