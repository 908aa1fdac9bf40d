//! Where the files of a data set are, and reading them whole.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{DataError, DatasetName};

/// The folder of a data set: of `given`, or else of the usual places, and of the folders named `inner` in each, the
/// first that has a file with one of the names `first`.
///
/// # Errors
///
/// [`DataError::Missing`] with the folders looked at and where to get the data.
pub(super) fn find(
    dataset: DatasetName,
    given: Option<&Path>,
    inner: &[&str],
    first: &[&str],
) -> Result<PathBuf, DataError> {
    let folders = match given {
        Some(folder) => vec![folder.to_owned()],
        None => dataset.places(),
    };
    for folder in &folders {
        let within = inner.iter().map(|name| folder.join(name));
        for place in std::iter::once(folder.clone()).chain(within) {
            if first.iter().any(|name| place.join(name).is_file()) {
                return Ok(place);
            }
        }
    }
    Err(missing(
        dataset,
        first.first().copied().unwrap_or_default(),
        folders,
    ))
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
    let path = folder.join(name);
    match File::open(&path) {
        Ok(file) => read_open(&path, file, limit),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            Err(missing(dataset, name, vec![folder.to_owned()]))
        }
        Err(cause) => Err(DataError::Unreadable { file: path, cause }),
    }
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
        let look = || {
            find(
                DatasetName::Ptb,
                Some(here.path()),
                &["in/side"],
                &["a", "b"],
            )
        };
        let text = look().unwrap_err().to_string();
        assert!(text.starts_with("ptb: no a in "), "{text}");
        assert!(text.contains("koala data fetch ptb"), "{text}");
        std::fs::create_dir_all(here.path().join("in/side")).unwrap();
        std::fs::write(here.path().join("in/side/b"), "").unwrap();
        assert_eq!(look().unwrap(), here.path().join("in/side"));
        std::fs::write(here.path().join("b"), "").unwrap();
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
