//! Reading and writing whole files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// How errors name a file.
pub(super) fn named(path: &Path) -> String {
    format!("'{}'", path.display())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that appears whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let temporary = neighbour(path).map_err(failed)?;
    let written = written(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(failed(source));
    }
    synchronised(path).map_err(failed)
}

fn written(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name of its own in the same folder.
fn neighbour(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    hidden.push(format!(".{}-{count}.tmp", process::id()));
    Ok(path.with_file_name(hidden))
}

/// Makes the renaming last, where folders can be synchronised.
#[cfg(unix)]
fn synchronised(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn synchronised(_path: &Path) -> io::Result<()> {
    Ok(())
}
