//! Files of others, read without trust.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::faults::readable;

/// Opens a regular file to read it. A pipe, whose writer may never come, and a device, which may never end, are refused.
///
/// # Errors
///
/// What the system says, and [`ErrorKind::InvalidInput`] for what is no regular file.
pub fn open(path: &Path) -> Result<File> {
    readable(path)?;
    // Asked before it is opened: to open a device may do something.
    check(fs::metadata(path)?.file_type())?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

fn check(kind: FileType) -> Result<()> {
    match kind {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file, but a pipe, a device or a socket: copy its content into a file",
        )),
    }
}

/// The content of a regular file of at most `limit` bytes.
///
/// # Errors
///
/// As [`open`], and [`ErrorKind::FileTooLarge`] for a longer one.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    // One byte more than allowed: a file may grow.
    open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than the {limit} bytes that are read: it is no such file"),
        ));
    }
    Ok(content)
}

/// As [`read`], of UTF-8.
///
/// # Errors
///
/// As [`read`], and [`ErrorKind::InvalidData`] for what is no UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        assert_eq!(read(&path, 2).unwrap_err().kind(), ErrorKind::FileTooLarge);
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(
            read_text(&path, 3).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        assert_eq!(
            open(folder.path()).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
        assert_eq!(
            open(&folder.path().join("b")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_refused() {
        for endless in ["/dev/zero", "/dev/tty"] {
            if let Err(cause) = read(Path::new(endless), 10) {
                assert_eq!(cause.kind(), ErrorKind::InvalidInput, "{endless}");
            } else {
                panic!("{endless} was read");
            }
        }
    }
}
