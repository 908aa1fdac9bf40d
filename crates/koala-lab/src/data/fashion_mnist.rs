//! Fashion-MNIST from its four original files.
//!
//! H. Xiao, K. Rasul, R. Vollgraf: *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms*,
//! 2017, arXiv 1708.07747; licence MIT. 60,000 images of 28 x 28 to train on, 10,000 to test on, ten classes.

use std::path::{Path, PathBuf};

use super::{DataError, ImageSet, Split, idx, inflate};

const CLASSES: usize = 10;
/// Mean and standard deviation of the training pixels, on the scale from 0 to 1.
const MEAN: f32 = 0.2860;
const DEVIATION: f32 = 0.3530;
/// Unpacked size that no file of the family comes near (EMNIST's largest has 550 MB).
const LIMIT: usize = 1 << 30;
const PARTS: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"],
    ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"],
];
const PLACES: [&str; 2] = ["data/fashion-mnist", "/usr/share/datasets/fashion-mnist"];

/// The folder with the four files: `folder` if given, else the first of `data/fashion-mnist` and
/// `/usr/share/datasets/fashion-mnist` that has the first of them.
///
/// # Errors
///
/// [`DataError::Missing`] with the folders looked at and where to get the data.
pub fn find_fashion_mnist(folder: Option<&Path>) -> Result<PathBuf, DataError> {
    let folders: Vec<PathBuf> = match folder {
        Some(folder) => vec![folder.to_owned()],
        None => PLACES.iter().map(PathBuf::from).collect(),
    };
    match folders.iter().find(|f| f.join(PARTS[0][0]).is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(missing(PARTS[0][0], folders)),
    }
}

/// Reads Fashion-MNIST, or any data set of the same form (MNIST, KMNIST), from `folder`.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, cut short or of another format, or if images and labels are not of
/// the same number.
pub fn fashion_mnist(folder: &Path) -> Result<Split, DataError> {
    let train = part(folder, PARTS[0])?;
    let test = part(folder, PARTS[1])?;
    if (train.height, train.width) != (test.height, test.width) {
        return Err(DataError::format(
            folder.join(PARTS[1][0]),
            format!(
                "images of {} x {}, as for training",
                train.height, train.width
            ),
            format!("{} x {}", test.height, test.width),
        ));
    }
    Ok(Split { train, test })
}

fn part(folder: &Path, [images, labels]: [&str; 2]) -> Result<ImageSet, DataError> {
    let image_file = folder.join(images);
    let label_file = folder.join(labels);
    let read = idx::images(&image_file, &unpacked(folder, images)?)?;
    let labels = idx::labels(&label_file, &unpacked(folder, labels)?, CLASSES)?;
    if labels.len() != read.count {
        return Err(DataError::format(
            label_file,
            format!("{} labels, one for each image in {images}", read.count),
            format!("{}", labels.len()),
        ));
    }
    Ok(ImageSet {
        height: read.height,
        width: read.width,
        classes: CLASSES,
        white: 255,
        mean: MEAN,
        deviation: DEVIATION,
        pixels: read.pixels,
        labels,
    })
}

fn unpacked(folder: &Path, name: &str) -> Result<Vec<u8>, DataError> {
    let file = folder.join(name);
    match std::fs::read(&file) {
        Ok(packed) => inflate(&file, &packed, LIMIT),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(missing(name, vec![folder.to_owned()]))
        }
        Err(cause) => Err(DataError::Unreadable { file, cause }),
    }
}

fn missing(file: &str, folders: Vec<PathBuf>) -> DataError {
    DataError::Missing {
        dataset: "fashion-mnist",
        file: file.to_owned(),
        folders,
        remedy: "On Debian and Ubuntu `apt-get install dataset-fashion-mnist` brings it; elsewhere get the four .gz \
                 files from https://github.com/zalandoresearch/fashion-mnist and name their folder with --data-dir"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn pack(magic: u32, dimensions: &[u32], values: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&magic.to_be_bytes()).unwrap();
        for dimension in dimensions {
            encoder.write_all(&dimension.to_be_bytes()).unwrap();
        }
        encoder.write_all(values).unwrap();
        encoder.finish().unwrap()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for ([images, labels], count) in PARTS.iter().zip([3u32, 2]) {
            let pixels = vec![9; count as usize * 4];
            let classes: Vec<u8> = (0..count as u8).collect();
            std::fs::write(
                folder.path().join(images),
                pack(0x803, &[count, 2, 2], &pixels),
            )
            .unwrap();
            std::fs::write(folder.path().join(labels), pack(0x801, &[count], &classes)).unwrap();
        }
        folder
    }

    #[test]
    fn four_files_are_read() {
        let folder = folder();
        let found = find_fashion_mnist(Some(folder.path())).unwrap();
        let Split { train, test } = fashion_mnist(&found).unwrap();
        assert_eq!(
            (train.len(), test.len(), train.height, train.width),
            (3, 2, 2, 2)
        );
        assert_eq!(
            (train.labels(), train.pixels(2)),
            (&[0u8, 1, 2][..], &[9u8; 4][..])
        );
    }

    #[test]
    fn a_missing_file_is_named_with_its_remedy() {
        let folder = folder();
        std::fs::remove_file(folder.path().join(PARTS[1][1])).unwrap();
        let text = fashion_mnist(folder.path()).unwrap_err().to_string();
        assert!(
            text.starts_with("fashion-mnist: no t10k-labels-idx1-ubyte.gz in"),
            "{text}"
        );
        assert!(text.contains("apt-get install dataset-fashion-mnist"));
        let text = find_fashion_mnist(Some(Path::new("nowhere")))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("no train-images-idx3-ubyte.gz in nowhere."),
            "{text}"
        );
    }

    #[test]
    fn counts_and_sizes_must_agree() {
        let folder = folder();
        std::fs::write(folder.path().join(PARTS[0][1]), pack(0x801, &[2], &[0, 1])).unwrap();
        let text = fashion_mnist(folder.path()).unwrap_err().to_string();
        assert!(
            text.contains("3 labels, one for each image in train-images-idx3-ubyte.gz, found 2"),
            "{text}"
        );

        let folder = self::folder();
        std::fs::write(
            folder.path().join(PARTS[1][0]),
            pack(0x803, &[2, 1, 2], &[0; 4]),
        )
        .unwrap();
        let text = fashion_mnist(folder.path()).unwrap_err().to_string();
        assert!(
            text.contains("images of 2 x 2, as for training, found 1 x 2"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = folder();
        std::fs::write(folder.path().join(PARTS[0][0]), b"no gzip").unwrap();
        let text = fashion_mnist(folder.path()).unwrap_err().to_string();
        assert!(
            text.contains("train-images-idx3-ubyte.gz: expected gzip data"),
            "{text}"
        );
    }
}
