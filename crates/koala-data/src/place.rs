//! Where the files of a data set are, and reading them whole.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{DataError, DatasetName};

/// How the files of a data set are laid out.
struct Layout {
    /// Folders that the original archives make; the files may stand in them.
    inner: &'static [&'static str],
    /// Names of the file that tells that the data set is here.
    first: &'static [&'static str],
}

fn layout(dataset: DatasetName) -> Layout {
    let (inner, first): (&[_], &[_]) = match dataset {
        DatasetName::FashionMnist | DatasetName::Mnist => (
            &[],
            &["train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"],
        ),
        DatasetName::Cifar10 => (&["cifar-10-batches-bin"], &["data_batch_1.bin"]),
        DatasetName::Cifar100 => (&["cifar-100-binary"], &["train.bin"]),
        // A pickled batch is found too, so that it can be refused by name.
        DatasetName::Imagenet32 => (
            &["Imagenet32_train_npz"],
            &["train_data_batch_1.npz", "train_data_batch_1"],
        ),
        DatasetName::Ptb => (&["simple-examples/data"], &["ptb.train.txt"]),
        DatasetName::Wikitext2 => (&["wikitext-2"], &["wiki.train.tokens"]),
        DatasetName::Digits
        | DatasetName::TinyShakespeare
        | DatasetName::TinyShakespeareWords
        | DatasetName::Text
        | DatasetName::Friedman
        | DatasetName::Images
        | DatasetName::Idx
        | DatasetName::Table => (&[], &[]),
    };
    Layout { inner, first }
}

/// The folder of a data set: of `given`, or else of the usual places, and of the folders that the original archives make
/// in each, the first that has the data set's first file.
///
/// # Errors
///
/// [`DataError::Missing`] with the folders looked at and where to get the data.
pub(super) fn find(dataset: DatasetName, given: Option<&Path>) -> Result<PathBuf, DataError> {
    let folders = match given {
        Some(folder) => vec![folder.to_owned()],
        None => dataset.places(),
    };
    let Layout { inner, first } = layout(dataset);
    for folder in &folders {
        let within = inner.iter().map(|name| folder.join(name));
        for place in std::iter::once(folder.clone()).chain(within) {
            if first.iter().any(|name| place.join(name).is_file()) {
                return Ok(place);
            }
        }
    }
    let file = first.first().copied().unwrap_or("file");
    Err(missing(dataset, file, folders))
}

/// All bytes of a file of a data set, but no more than `limit`.
///
/// # Errors
///
/// [`DataError`] if it is missing, unreadable or longer than `limit`.
pub(super) fn read(
    dataset: DatasetName,
    folder: &Path,
    name: &str,
    limit: usize,
) -> Result<Vec<u8>, DataError> {
    read_open(&folder.join(name), open(dataset, folder, name)?, limit)
}

/// The first `count` bytes of a file of a data set, or all of them if there are fewer, and how many the whole file has.
///
/// # Errors
///
/// [`DataError`] if it is missing or unreadable.
pub(super) fn read_beginning(
    dataset: DatasetName,
    folder: &Path,
    name: &str,
    count: usize,
) -> Result<(Vec<u8>, u64), DataError> {
    let path = folder.join(name);
    let file = open(dataset, folder, name)?;
    let whole = file.metadata().map_err(DataError::unreadable(&path))?.len();
    let mut bytes = Vec::new();
    file.take(count as u64)
        .read_to_end(&mut bytes)
        .map_err(DataError::unreadable(&path))?;
    Ok((bytes, whole))
}

/// Opens a file of a data set.
fn open(dataset: DatasetName, folder: &Path, name: &str) -> Result<File, DataError> {
    let path = folder.join(name);
    File::open(&path).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => missing(dataset, name, vec![folder.to_owned()]),
        _ => DataError::Unreadable { file: path, cause },
    })
}

/// As [`read`], of a file that is open.
pub(super) fn read_open(path: &Path, file: File, limit: usize) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let bound = (limit as u64).saturating_add(1);
    file.take(bound)
        .read_to_end(&mut bytes)
        .map_err(DataError::unreadable(path))?;
    if bytes.len() > limit {
        return Err(DataError::format(
            path,
            format!("at most {limit} bytes"),
            "more",
        ));
    }
    Ok(bytes)
}

/// A file of a data set that is in none of the folders.
pub(super) fn missing(dataset: DatasetName, file: &str, folders: Vec<PathBuf>) -> DataError {
    DataError::Missing {
        dataset: dataset.name(),
        file: file.to_owned(),
        folders,
        remedy: dataset.remedy(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_with_the_file_is_taken() {
        let here = tempfile::tempdir().unwrap();
        let look = || find(DatasetName::Ptb, Some(here.path()));
        let text = look().unwrap_err().to_string();
        assert!(text.starts_with("ptb: no ptb.train.txt in "), "{text}");
        assert!(text.contains("koala data fetch ptb"), "{text}");
        let inner = here.path().join("simple-examples/data");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("ptb.train.txt"), "").unwrap();
        assert_eq!(look().unwrap(), inner);
        std::fs::write(here.path().join("ptb.train.txt"), "").unwrap();
        assert_eq!(look().unwrap(), here.path());
    }

    #[test]
    fn nothing_is_read_beyond_the_limit() {
        let here = tempfile::tempdir().unwrap();
        std::fs::write(here.path().join("a"), [1, 2, 3]).unwrap();
        let read = |name, limit| read(DatasetName::Ptb, here.path(), name, limit);
        assert_eq!(read("a", 3).unwrap(), [1, 2, 3]);
        let text = read("a", 2).unwrap_err().to_string();
        assert!(
            text.contains("expected at most 2 bytes, found more"),
            "{text}"
        );
        assert!(matches!(read("b", 2), Err(DataError::Missing { .. })));
        assert!(matches!(read(".", 2), Err(DataError::Unreadable { .. })));
    }
}
