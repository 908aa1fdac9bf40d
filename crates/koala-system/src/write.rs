//! Files that outlast a crash.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::path::Path;

use crate::faults::{self, Operation, change};
use crate::{links, remove_file, rename, sync_folder};

/// Writes a file under another name, syncs and renames it, so that it is there as a whole or not at all. A link in its place is
/// replaced, not followed.
///
/// # Errors
///
/// What the system says; what was there before is still there then.
pub fn write_whole(folder: &Path, name: &str, content: &[u8]) -> Result<()> {
    let draft = folder.join(format!(".{name}.part"));
    let write = || {
        // Of a program that was killed.
        remove_file(&draft)?;
        write_synced(&draft, content)?;
        rename(&draft, &folder.join(name))?;
        sync_folder(folder)
    };
    write().inspect_err(|_| {
        // Leaving nothing half-written matters more than a second error.
        let _ = remove_file(&draft);
    })
}

/// Writes a file that is not there yet and outlasts a crash of the system; its name does once its folder is synced.
///
/// # Errors
///
/// What the system says; also if something has its name.
pub fn write_synced(file: &Path, content: &[u8]) -> Result<()> {
    let mut open = create(file)?;
    faults::write(&mut open, file, 0, content)?;
    change(Operation::SyncFile(file), || open.sync_all())
}

/// Makes what was written to a file outlast a crash of the system; it is as well if there is none.
///
/// # Errors
///
/// What the system says.
pub fn sync_file(file: &Path) -> Result<()> {
    change(Operation::SyncFile(file), || {
        let mut options = OpenOptions::new();
        // Some systems sync only what may be written to.
        match links::open(options.write(true), file) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
            open => open?.sync_all(),
        }
    })
}

/// A new file; nothing may have its name, a link neither.
pub(crate) fn create(file: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    change(Operation::Create(file), || options.open(file))
}

/// Opens a file to lock it, and makes it if it is not there. What is in it stays, and links are not followed.
///
/// # Errors
///
/// What the system says.
pub fn open_lock(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    change(Operation::Open(path), || links::open(&mut options, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Fault, failing};
    use std::fs;

    #[test]
    fn whatever_fails_leaves_the_old_file_or_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let write = |content: &[u8]| write_whole(folder.path(), "a", content);
        let (whole, operations) = failing(folder.path(), Fault::none(), || write(b"old"));
        whole.unwrap();
        assert!(operations >= 5);
        for fault in [Fault::once, Fault::killed, Fault::broken] {
            for torn in [false, true] {
                for at in 1..=operations {
                    let fault = if torn { fault(at).torn() } else { fault(at) };
                    write(b"old").unwrap();
                    assert!(failing(folder.path(), fault, || write(b"newer")).0.is_err());
                    let found = fs::read(folder.path().join("a")).unwrap();
                    assert!(found == b"old" || found == b"newer", "{fault:?}");
                }
            }
        }
        write(b"last").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_replaced_or_refused_and_what_they_point_to_stays() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("foreign");
        fs::write(&foreign, "precious").unwrap();
        for name in [".a.part", "a", "lock"] {
            symlink(&foreign, folder.path().join(name)).unwrap();
        }
        write_whole(folder.path(), "a", b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"new");
        let text = open_lock(&folder.path().join("lock"))
            .unwrap_err()
            .to_string();
        assert!(text.contains("it is a link"), "{text}");
        assert!(write_synced(&folder.path().join("lock"), b"x").is_err());
        assert_eq!(fs::read(&foreign).unwrap(), b"precious");
    }
}
