//! What can go wrong while a data set is got.

use std::path::PathBuf;

/// A data set that could not be got, why, and what can be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is nothing to get.
    #[error("{dataset} {why}")]
    Nothing {
        /// The data set.
        dataset: &'static str,
        /// Why, and what does instead.
        why: &'static str,
    },
    /// It is not given out to programs.
    #[error("{dataset} cannot be fetched by a program. {how}")]
    ByHand {
        /// The data set.
        dataset: &'static str,
        /// How someone gets it.
        how: &'static str,
    },
    /// Downloading was left out when the program was built.
    #[error(
        "this koala was built without fetch. Build one with it: cargo install --path crates/koala-lab --features fetch"
    )]
    NotBuilt,
    /// The host could not be reached, or the connection broke and did not come back.
    #[error(
        "{url}: {cause}. What has come so far is kept, and the same command goes on from there"
    )]
    Network {
        /// The address.
        url: String,
        /// Why.
        cause: String,
    },
    /// The host answered something else than the file.
    #[error(
        "{url}: the host answered {status}. If the file has moved, name another host that has it with --mirror"
    )]
    Status {
        /// The address.
        url: String,
        /// The status of HTTP.
        status: u16,
    },
    /// The host sent more than the file has.
    #[error("{url}: expected {expected} bytes, found more. What came was thrown away")]
    TooLong {
        /// The address.
        url: String,
        /// Bytes of the file, or the limit.
        expected: u64,
    },
    /// The host has less than the file has.
    #[error(
        "{url}: expected {expected} bytes, and the host has {found}: it is another file. What came was thrown away; try again, or \
         another --mirror"
    )]
    TooShort {
        /// The address.
        url: String,
        /// Bytes of the file.
        expected: u64,
        /// Bytes that the host has.
        found: u64,
    },
    /// What came is another file than the one published.
    #[error(
        "{url}: expected SHA-256 {expected}, found {found}. What came was thrown away; try again, or another --mirror"
    )]
    Checksum {
        /// The address.
        url: String,
        /// The published checksum.
        expected: String,
        /// The checksum of what came.
        found: String,
    },
    /// An archive cannot be unpacked.
    #[error("{}: expected {expected}, found {found}. Nothing of it was kept", archive.display())]
    Archive {
        /// The archive.
        archive: PathBuf,
        /// What an archive has to be.
        expected: String,
        /// What this one is.
        found: String,
    },
    /// The operating system would not let us do something with a file.
    #[error("{}: cannot {action}: {cause}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What we wanted, as a verb.
        action: &'static str,
        /// Why it was refused.
        cause: std::io::Error,
    },
    /// Someone asked to stop.
    #[error("stopped. What has come so far is kept in {}, and the same command goes on from there", part.display())]
    Interrupted {
        /// Where the part is.
        part: PathBuf,
    },
}

#[cfg(feature = "fetch")]
impl FetchError {
    pub(super) fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File {
            path,
            action,
            cause,
        }
    }
}
