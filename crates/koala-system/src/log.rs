//! A file that grows by whole records.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::faults::{self, Operation, change};
use crate::write::create;
use crate::{links, remove_file};

/// A file that grows by whole records, each written by one call.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    path: PathBuf,
}

impl LogFile {
    /// A new one, in place of what has its name. That is removed, not written to: it may be a link, or have another name too.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn create(path: &Path) -> Result<Self> {
        remove_file(path)?;
        Ok(Self {
            file: create(path)?,
            path: path.to_owned(),
        })
    }

    /// The one that is there, or a new one. Links are not followed.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Ok(Self {
            file: change(Operation::Open(path), || links::open(&mut options, path))?,
            path: path.to_owned(),
        })
    }

    /// The file, to be read.
    pub fn reader(&mut self) -> &mut File {
        &mut self.file
    }

    /// Leaves its first so many bytes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn cut(&mut self, length: u64) -> Result<()> {
        change(Operation::Cut(&self.path, length), || {
            self.file.set_len(length)
        })?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }

    /// Writes a record at its end.
    ///
    /// # Errors
    ///
    /// What the system says, and [`ErrorKind::NotFound`] if the file has been removed: what is written to it now is lost.
    pub fn append(&mut self, record: &[u8]) -> Result<()> {
        if is_removed(&self.file)? {
            return Err(Error::new(
                ErrorKind::NotFound,
                "it was removed while it was written to",
            ));
        }
        let end = self.file.seek(SeekFrom::End(0))?;
        faults::write(&mut self.file, &self.path, end, record)
    }

    /// Makes what was written outlast a crash of the system; how much it is.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn sync(&mut self) -> Result<u64> {
        change(Operation::SyncFile(&self.path), || self.file.sync_data())?;
        Ok(self.file.metadata()?.len())
    }
}

/// Whether a file that is open is still the one at `path`: it was not removed, moved or replaced.
///
/// # Errors
///
/// What the system says.
pub fn is_in_place(file: &File, path: &Path) -> Result<bool> {
    let found = match std::fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let held = file.metadata()?;
        Ok((held.dev(), held.ino()) == (found.dev(), found.ino()))
    }
    // Elsewhere a file that is open cannot be moved.
    #[cfg(not(unix))]
    {
        let _ = (file, found);
        Ok(true)
    }
}

/// Whether a file that is open has no name any more.
fn is_removed(file: &File) -> Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() == 0)
    }
    // Elsewhere a file that is open cannot be removed.
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn records_come_one_after_the_other_and_what_is_cut_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = LogFile::create(&path).unwrap();
        log.append(b"one,").unwrap();
        log.append(b"two,").unwrap();
        assert_eq!(log.sync().unwrap(), 8);
        let mut log = LogFile::open(&path).unwrap();
        log.cut(4).unwrap();
        log.append(b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one,three");
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_was_removed_is_noticed_at_the_next_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = LogFile::create(&path).unwrap();
        log.append(b"one").unwrap();
        fs::remove_file(&path).unwrap();
        let text = log.append(b"two").unwrap_err().to_string();
        assert!(text.contains("was removed"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link_of_either_kind() {
        let folder = tempfile::tempdir().unwrap();
        let (foreign, path) = (folder.path().join("foreign"), folder.path().join("log"));
        fs::write(&foreign, "precious").unwrap();
        std::os::unix::fs::symlink(&foreign, &path).unwrap();
        assert!(LogFile::open(&path).is_err());
        LogFile::create(&path).unwrap().append(b"new").unwrap();
        fs::remove_file(&path).unwrap();
        fs::hard_link(&foreign, &path).unwrap();
        LogFile::create(&path).unwrap().append(b"new").unwrap();
        assert_eq!(fs::read(&foreign).unwrap(), b"precious");
        // A link that points nowhere is no file either.
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &path).unwrap();
        assert!(LogFile::open(&path).is_err());
        assert!(!folder.path().join("nowhere").exists());
    }
}
