//! The lock of a run's folder, which keeps two programs from being at one run.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::Error;

const LOCK: &str = ".lock";

/// Keeps other programs away from `folder` as long as the file is open. The operating system lets go of it also if this
/// program is killed. The file stays: were it removed, a program that had opened it before could lock what another no
/// longer sees.
pub(super) fn take(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let mut options = File::options();
    let file = options.create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(Error::file(&path, "create"))?;
    let mut tries = 1;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
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

/// Whether a program keeps others away from `folder`. Nothing is made or kept there.
pub(super) fn is_taken(folder: &Path) -> Result<bool, Error> {
    let path = folder.join(LOCK);
    let file = match File::open(&path) {
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
}
