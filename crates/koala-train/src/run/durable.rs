//! Files that outlast a crash.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::Error;

/// Writes a file under another name, syncs and renames it, so that it is there as a whole or not at all.
///
/// # Errors
///
/// [`Error::File`] if the system does not let us; what was there before is still there then.
pub fn write_whole(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let file = folder.join(name);
    let draft = folder.join(format!(".{name}.part"));
    let write = || {
        write_synced(&draft, content)?;
        fs::rename(&draft, &file)?;
        sync_folder(folder)
    };
    write().map_err(|cause| {
        // Leaving nothing half-written matters more than a second error.
        let _ = fs::remove_file(&draft);
        Error::file(&file, "write")(cause)
    })
}

/// Writes a file that outlasts a crash of the system; its name does once its folder is synced.
pub(super) fn write_synced(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut open = File::create(file)?;
    open.write_all(content)?;
    open.sync_all()
}

/// Makes the names in a folder outlast a crash of the system.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Other systems cannot open a folder, and need not.
    if cfg!(unix) {
        let here = folder.as_os_str().is_empty();
        File::open(if here { Path::new(".") } else { folder })?.sync_all()?;
    }
    Ok(())
}
