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
