//! Files that outlast a crash.

use std::path::Path;

use crate::Error;

/// Writes a file under another name, syncs and renames it, so that it is there as a whole or not at all.
///
/// # Errors
///
/// [`Error::File`] if the system does not let us; what was there before is still there then.
pub fn write_whole(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    koala_system::write_whole(folder, name, content)
        .map_err(Error::file(folder.join(name), "write"))
}
