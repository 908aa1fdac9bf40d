//! What stands in place of downloading where the feature `fetch` was left out.

use std::path::{Path, PathBuf};

use super::{FetchError, RemoteFile, Watcher};
use crate::Interrupt;

/// Refuses: there is nothing to download with.
pub(super) fn files(
    _folder: &Path,
    _files: &[RemoteFile],
    _mirror: Option<&str>,
    _watcher: &mut dyn Watcher,
    _interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, FetchError> {
    Err(FetchError::NotBuilt)
}

#[cfg(test)]
mod tests {
    use crate::fetch::{Options, fetch};
    use crate::{DatasetName, Interrupt};

    struct NoOne;

    impl super::Watcher for NoOne {
        fn begin(&mut self, _: &str, _: u64, _: Option<u64>) {}

        fn advance(&mut self, _: u64) {}
    }

    #[test]
    fn what_was_left_out_says_how_to_get_it() {
        let fetched = fetch(
            DatasetName::Mnist,
            &Options::default(),
            &mut NoOne,
            &Interrupt::default(),
        );
        let text = fetched.unwrap_err().to_string();
        assert!(text.contains("--features fetch"), "{text}");
    }
}
