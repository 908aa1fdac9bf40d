//! What a table's file holds, as it is read.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use crate::{DataError, place};

/// Bytes of the largest file.
const FILE_LIMIT: usize = 1 << 30;

/// The bytes of a file that is there.
pub(super) fn text_of(file: &Path) -> Result<Vec<u8>, DataError> {
    let open = File::open(file).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => {
            DataError::own(file, "there is no such file", "Name a CSV file with --file")
        }
        _ => DataError::Unreadable {
            file: file.to_owned(),
            cause,
        },
    })?;
    place::read_open(file, open, FILE_LIMIT)
        .map_err(|error| error.with_remedy("Give a part of it: some of the rows, or fewer columns"))
}
