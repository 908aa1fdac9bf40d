//! Small files, read whole.

use std::io::{ErrorKind, Read};
use std::path::Path;

use koala_system::open;

use crate::Error;

/// Text of a file of at most `limit` bytes; nothing if there is no such file.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<Option<String>, Error> {
    let file = match open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Error::file(path, "open")(cause)),
    };
    let size = file.metadata().map_err(Error::file(path, "read"))?.len();
    let mut text = String::new();
    // One byte more than allowed: a file may grow.
    file.take(limit + 1)
        .read_to_string(&mut text)
        .map_err(Error::file(path, "read"))?;
    if text.len() as u64 > limit {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            size: size.max(limit + 1),
            limit,
        });
    }
    Ok(Some(text))
}
