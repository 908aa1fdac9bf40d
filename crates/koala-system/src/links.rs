//! Links, through which nothing is written.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// What is told of a link that stands where a file or folder of ours should.
fn refused() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "it is a link, and nothing is written through links: remove it",
    )
}

/// Refuses a link, and whatever else is no regular file.
pub(crate) fn check_file(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
        Ok(found) if found.is_symlink() => Err(refused()),
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file: remove it",
        )),
    }
}

/// Whether a folder is there; refuses a link to one, and whatever else has its name.
pub(crate) fn check_folder(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
        Ok(found) if found.is_symlink() => Err(refused()),
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(ErrorKind::NotADirectory.into()),
    }
}

/// Opens a regular file without following a link.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    check_file(path)?;
    // A link that comes between the look and the opening is not followed either, and no pipe is waited for.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        match options.open(path) {
            Err(cause) if cause.raw_os_error() == Some(libc::ELOOP) => Err(refused()),
            opened => opened,
        }
    }
    #[cfg(not(unix))]
    options.open(path)
}
