//! The lock of a run's folder, which keeps two programs from being at one run.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use koala_system::{is_in_place, open, open_lock};

use crate::Error;
use crate::training::{Event, Observer};

pub(super) const LOCK: &str = ".lock";

/// A folder that other programs are kept away from, as long as this is there.
#[derive(Debug)]
pub(super) struct Held {
    folder: PathBuf,
    path: PathBuf,
    file: File,
}

/// Keeps other programs away from `folder`. The operating system lets go of it also if this program is killed. The file stays: were
/// it removed, a program that had opened it before could lock what another no longer sees.
pub(super) fn take(folder: &Path) -> Result<Held, Error> {
    let path = folder.join(LOCK);
    let file = open_lock(&path).map_err(Error::file(&path, "create"))?;
    let mut tries = 1;
    loop {
        match file.try_lock() {
            Ok(()) => {
                return Ok(Held {
                    folder: folder.to_owned(),
                    path,
                    file,
                });
            }
            // Someone who only asks whether the run is busy lets go at once.
            Err(TryLockError::WouldBlock) if tries < 5 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy {
                    folder: folder.to_owned(),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(Error::file(path, "lock")(cause)),
        }
    }
}

impl Held {
    /// Whether the folder is still there: what is written into one that was removed is lost, and one in its place is another's.
    ///
    /// # Errors
    ///
    /// [`Error::Removed`] if it is not; [`Error::File`] if that cannot be found out.
    pub(super) fn check(&self) -> Result<(), Error> {
        match is_in_place(&self.file, &self.path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Removed {
                folder: self.folder.clone(),
            }),
            Err(cause) => Err(Error::file(&self.path, "look at")(cause)),
        }
    }
}

/// Looks at every event whether the folder is still there.
pub(super) struct Presence<'a>(pub &'a Held);

impl Observer for Presence<'_> {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            // What broke the run off is told everywhere else.
            Event::Failure(_) => Ok(()),
            _ => self.0.check(),
        }
    }
}

/// Whether a program keeps others away from `folder`. Nothing is made or kept there.
pub(super) fn is_taken(folder: &Path) -> Result<bool, Error> {
    let path = folder.join(LOCK);
    let file = match open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(Error::file(path, "open")(cause)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(cause)) => Err(Error::file(path, "ask for the lock of")(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_whether_a_run_is_busy_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_taken(folder.path()).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let lock = take(folder.path()).unwrap();
        assert!(is_taken(folder.path()).unwrap());
        drop(lock);
        assert!(!is_taken(folder.path()).unwrap());
        drop(take(folder.path()).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_was_removed_or_moved_or_replaced_is_noticed() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, elsewhere) = (parent.path().join("run"), parent.path().join("moved"));
        std::fs::create_dir(&folder).unwrap();
        let held = take(&folder).unwrap();
        held.check().unwrap();
        std::fs::rename(&folder, &elsewhere).unwrap();
        let text = held.check().unwrap_err().to_string();
        assert!(text.contains("was removed"), "{text}");
        // Another one in its place, with a lock of its own.
        std::fs::create_dir(&folder).unwrap();
        drop(take(&folder).unwrap());
        assert!(held.check().is_err());
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::rename(&elsewhere, &folder).unwrap();
        held.check().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(held.check().is_err());
    }
}
