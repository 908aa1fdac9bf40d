//! Getting a whole data set.

use std::path::PathBuf;

use serde::Serialize;

use super::{FetchError, Watcher, published};
use crate::{DatasetName, Interrupt};

/// How a data set is got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The folder it comes into; the first usual place if none is given.
    pub into: Option<PathBuf>,
    /// Another host: the address of a folder that has the files under their own names. It may be plain HTTP, since what
    /// comes is compared with the published checksum.
    pub mirror: Option<String>,
}

/// What has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// The folder it is in.
    pub folder: PathBuf,
    /// The files that were downloaded, or that were there and are the published ones.
    pub files: Vec<PathBuf>,
}

/// Downloads a data set, compares each file with its published SHA-256, and unpacks archives. A file is called
/// `NAME.part` until it is whole and compared, so that under its name there is the published file or none; a later call
/// goes on where one has stopped. Archives are kept, for `koala data check`. What is there already is not got again.
///
/// # Errors
///
/// [`FetchError`]; parts of files are kept, but for those that cannot be a part of the published file.
pub fn fetch(
    dataset: DatasetName,
    options: &Options,
    watcher: &mut dyn Watcher,
    interrupt: &Interrupt,
) -> Result<Fetched, FetchError> {
    let source = dataset.source();
    let name = dataset.name();
    if !source.by_hand.is_empty() {
        return Err(FetchError::ByHand {
            dataset: name,
            how: source.by_hand,
        });
    }
    if source.files.is_empty() {
        return Err(FetchError::Nothing {
            dataset: name,
            why: match dataset {
                DatasetName::Text => {
                    "is any text file of yours: name it with --file when you train"
                }
                DatasetName::Table => {
                    "is any CSV file of yours: name it with --file when you train"
                }
                DatasetName::Images | DatasetName::Idx => {
                    "is any folder of yours: name it with --data-dir when you train"
                }
                _ => "is part of the program: there is nothing to fetch",
            },
        });
    }
    let usual = || dataset.places().into_iter().next().unwrap_or_default();
    let folder = options.into.clone().unwrap_or_else(usual);
    let files = published::files(
        &folder,
        source.files,
        options.mirror.as_deref(),
        watcher,
        interrupt,
    )?;
    Ok(Fetched { folder, files })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoOne;

    impl Watcher for NoOne {
        fn begin(&mut self, _: &str, _: u64, _: Option<u64>) {}

        fn advance(&mut self, _: u64) {}
    }

    #[test]
    fn what_cannot_be_fetched_says_what_does_instead() {
        let text = |dataset| {
            let options = Options::default();
            fetch(dataset, &options, &mut NoOne, &Interrupt::default())
                .unwrap_err()
                .to_string()
        };
        assert!(
            text(DatasetName::Imagenet32)
                .contains("Register at https://image-net.org/download-images")
        );
        assert_eq!(
            text(DatasetName::Digits),
            "digits is part of the program: there is nothing to fetch"
        );
        assert!(text(DatasetName::Text).contains("name it with --file"));
        assert!(text(DatasetName::Table).contains("name it with --file"));
        assert!(text(DatasetName::Images).contains("name it with --data-dir"));
    }
}
