//! MNIST and Fashion-MNIST from their four original files, packed or not.
//!
//! Y. LeCun, C. Cortes, C. J. C. Burges: *The MNIST database of handwritten digits*, 1998.
//! H. Xiao, K. Rasul, R. Vollgraf: *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms*,
//! 2017, arXiv 1708.07747. Each has 60,000 grey images of 28 x 28 to train on, 10,000 to test on, ten classes.

use std::path::Path;

use super::idx_files::{self, PARTS};
use super::{DataError, DatasetName, ImageSet, Split, idx, place};

const CLASSES: usize = 10;
/// Pixels of a picture's side.
const SIDE: usize = 28;
/// What to do with sizes and labels that there are not: the file is damaged, or it is another data set.
const OTHER: &str = "Get the file again if it is damaged; files of your own, of other sizes or with other classes, are read by koala_data::idx_folder";

/// Reads MNIST from `folder`, or from the places where it usually is.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, cut short or of another format, or if images and labels are not of
/// the same number.
pub fn mnist(folder: Option<&Path>) -> Result<Split, DataError> {
    read(DatasetName::Mnist, folder, 0.1307, 0.3081)
}

/// Reads Fashion-MNIST from `folder`, or from the places where it usually is.
///
/// # Errors
///
/// [`DataError`] as [`mnist`].
pub fn fashion_mnist(folder: Option<&Path>) -> Result<Split, DataError> {
    read(DatasetName::FashionMnist, folder, 0.2860, 0.3530)
}

fn read(
    dataset: DatasetName,
    folder: Option<&Path>,
    mean: f32,
    deviation: f32,
) -> Result<Split, DataError> {
    let folder = place::find(dataset, folder)?;
    let [train, test] = PARTS.map(|names| part(dataset, &folder, names, mean, deviation));
    Ok(Split::new(train?, test?))
}

fn part(
    dataset: DatasetName,
    folder: &Path,
    names: [&str; 2],
    mean: f32,
    deviation: f32,
) -> Result<ImageSet, DataError> {
    let missing = |name: &str| place::missing(dataset, name, vec![folder.to_owned()]);
    let read = idx_files::pictures(folder, names[0], missing)?;
    if (read.height, read.width) != (SIDE, SIDE) {
        let found = format!("images of {} x {}", read.height, read.width);
        let expected = format!("images of {SIDE} x {SIDE}");
        let fault = DataError::format(folder.join(names[0]), expected, found);
        return Err(fault.with_remedy(OTHER));
    }
    let labels = idx_files::labels(folder, names, read.count, missing, |file, bytes| {
        idx::labels(file, bytes, CLASSES).map_err(|error| match error {
            // What is cut short or of another format has no other remedy than before.
            DataError::Format { ref expected, .. } if expected.starts_with("labels from") => {
                error.with_remedy(OTHER)
            }
            error => error,
        })
    })?;
    Ok(ImageSet {
        channels: 1,
        height: read.height,
        width: read.width,
        classes: CLASSES,
        white: 255,
        mean: vec![mean],
        deviation: vec![deviation],
        pixels: read.pixels,
        labels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idx_files::LIMIT;
    use crate::inflate;
    use crate::sample::{self, gzip, idx_file};
    use std::fs;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Mnist, folder.path(), 20, 3).unwrap();
        folder
    }

    #[test]
    fn four_files_are_read() {
        let folder = folder();
        let Split { train, test, .. } = mnist(Some(folder.path())).unwrap();
        assert_eq!((train.len(), train.height, train.width), (20, 28, 28));
        assert!(!test.is_empty());
        assert_eq!(
            (train.mean.as_slice(), train.deviation.as_slice()),
            (&[0.1307][..], &[0.3081][..])
        );
    }

    #[test]
    fn plain_files_do_as_well_as_packed_ones() {
        let folder = folder();
        let packed = mnist(Some(folder.path())).unwrap();
        for name in PARTS.as_flattened() {
            let file = folder.path().join(format!("{name}.gz"));
            let bytes = inflate(&file, &fs::read(&file).unwrap(), LIMIT).unwrap();
            fs::write(folder.path().join(name), bytes).unwrap();
            fs::remove_file(file).unwrap();
        }
        assert_eq!(mnist(Some(folder.path())).unwrap(), packed);
        fs::remove_file(folder.path().join(PARTS[1][0])).unwrap();
        let text = mnist(Some(folder.path())).unwrap_err().to_string();
        assert!(
            text.starts_with("mnist: no t10k-images-idx3-ubyte.gz in"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_file_is_named_with_its_remedy() {
        let folder = folder();
        fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
        let text = fashion_mnist(Some(folder.path())).unwrap_err().to_string();
        assert!(
            text.starts_with("fashion-mnist: no t10k-labels-idx1-ubyte.gz in"),
            "{text}"
        );
        assert!(text.contains("apt-get install dataset-fashion-mnist"));
        let text = fashion_mnist(Some(Path::new("nowhere")))
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("fashion-mnist: no train-images-idx3-ubyte.gz in nowhere. "),
            "{text}"
        );
    }

    #[test]
    fn parts_that_do_not_agree_are_named() {
        let folder = folder();
        let fault = |name: &str, bytes: Vec<u8>| {
            let file = folder.path().join(name);
            let before = fs::read(&file).unwrap();
            fs::write(&file, gzip(&bytes).unwrap()).unwrap();
            let text = mnist(Some(folder.path())).unwrap_err().to_string();
            fs::write(&file, before).unwrap();
            text
        };
        let text = fault("train-labels-idx1-ubyte.gz", idx_file(&[2], &[0, 1]));
        assert!(
            text.contains("20 labels, one for each image of train-images-idx3-ubyte, found 2"),
            "{text}"
        );
        let text = fault("t10k-images-idx3-ubyte.gz", idx_file(&[4, 1, 1], &[0; 4]));
        assert!(
            text.contains(
                "t10k-images-idx3-ubyte: expected images of 28 x 28, found images of 1 x 1"
            ),
            "{text}"
        );
        let text = fault("t10k-labels-idx1-ubyte.gz", idx_file(&[1], &[10]));
        assert!(
            text.contains("t10k-labels-idx1-ubyte.gz: expected labels from 0 to 9"),
            "{text}"
        );
        // Whoever has eleven classes has no original to copy anew.
        assert!(
            text.ends_with("or with other classes, are read by koala_data::idx_folder"),
            "{text}"
        );
        fs::write(folder.path().join("train-images-idx3-ubyte.gz"), "no gzip").unwrap();
        let text = mnist(Some(folder.path())).unwrap_err().to_string();
        assert!(
            text.contains("train-images-idx3-ubyte.gz: expected gzip data"),
            "{text}"
        );
    }
}
