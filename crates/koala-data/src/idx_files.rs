//! The four files of MNIST and its relatives, packed or not.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DataError, IdxImages, idx, inflate, place};

/// Size, unpacked, that no file of the family comes near (EMNIST's largest has 550 MB).
pub(super) const LIMIT: usize = 1 << 30;
/// Names of the pictures and labels of both parts.
pub(super) const PARTS: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
];

/// The pictures of a file.
///
/// # Errors
///
/// [`DataError`]: what `missing` makes of its name if it is not there, or of what is wrong with it.
pub(super) fn pictures(
    folder: &Path,
    name: &str,
    missing: impl Fn(&str) -> DataError,
) -> Result<IdxImages, DataError> {
    let (file, bytes) = unpacked(folder, name, missing)?;
    idx::images(&file, &bytes)
}

/// The labels of so many pictures, as `parse` reads them.
///
/// # Errors
///
/// [`DataError`] as [`pictures`], and if there are not so many.
pub(super) fn labels(
    folder: &Path,
    [images, labels]: [&str; 2],
    count: usize,
    missing: impl Fn(&str) -> DataError,
    parse: impl Fn(&Path, &[u8]) -> Result<Vec<u16>, DataError>,
) -> Result<Vec<u16>, DataError> {
    let (file, bytes) = unpacked(folder, labels, missing)?;
    let labels = parse(&file, &bytes)?;
    if labels.len() != count {
        return Err(DataError::format(
            file,
            format!("{count} labels, one for each image of {images}"),
            format!("{}", labels.len()),
        ));
    }
    Ok(labels)
}

/// The packed file, or the one without `.gz` if there is no packed one, and its content.
fn unpacked(
    folder: &Path,
    name: &str,
    missing: impl Fn(&str) -> DataError,
) -> Result<(PathBuf, Vec<u8>), DataError> {
    let packed = format!("{name}.gz");
    let (plain_path, packed_path) = (folder.join(name), folder.join(&packed));
    if !packed_path.is_file() && plain_path.is_file() {
        let bytes = read(&plain_path, || missing(name))?;
        return Ok((plain_path, bytes));
    }
    let bytes = read(&packed_path, || missing(&packed))?;
    let bytes = inflate(&packed_path, &bytes, LIMIT)?;
    Ok((packed_path, bytes))
}

fn read(path: &Path, missing: impl Fn() -> DataError) -> Result<Vec<u8>, DataError> {
    match std::fs::File::open(path) {
        Ok(file) => place::read_open(path, file, LIMIT),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Err(missing()),
        Err(cause) => Err(DataError::Unreadable {
            file: path.to_owned(),
            cause,
        }),
    }
}
