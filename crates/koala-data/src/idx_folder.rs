//! Pictures of one's own in the four files of MNIST, of any size and any number of classes.

use std::path::Path;

use super::idx_files::{self, PARTS};
use super::image_folder::normalisation;
use super::{
    DataError, DatasetName, ImagePreparation, ImageSet, OwnImages, Parting, Share, Split, idx,
    place,
};

/// How such files are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdxOptions {
    /// What is held out of the training part to choose by, of each class its share. Default none.
    pub validation: Share,
    /// What the samples are drawn by. Runs that are to be compared want the same one, whatever their own seeds are.
    pub seed: u64,
    /// How many pictures of the training part are kept; in a drawn order, of each class its share.
    pub train_limit: Option<usize>,
}

impl Default for IdxOptions {
    fn default() -> Self {
        Self {
            validation: Share::Count(0),
            seed: 0,
            train_limit: None,
        }
    }
}

/// Reads grey pictures of one's own from files in the format and with the names of MNIST (`train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each with or without `.gz`): of any
/// size, the same in both parts, and with labels from 0 to 65,535, bytes or integers of 16 or 32 bits. There is one class more than the highest
/// label of both parts. The training part is in a drawn order in which the classes alternate; mean and deviation are those of
/// what is kept of it.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, cut short or of another format, or if pictures and labels are not of
/// the same number, or the pictures of both parts not of the same size, or nothing is left to train on.
pub fn idx_folder(folder: &Path, options: &IdxOptions) -> Result<OwnImages, DataError> {
    let missing = |name: &str| place::missing(DatasetName::Idx, name, vec![folder.to_owned()]);
    let part = |names: [&str; 2]| {
        let pictures = idx_files::pictures(folder, names[0], missing).map_err(own)?;
        let labels = idx_files::labels(folder, names, pictures.count, missing, |file, bytes| {
            idx::labels(file, bytes, 1 << u16::BITS)
        });
        Ok((pictures, labels.map_err(own)?))
    };
    let [train, test] = PARTS.map(part);
    let ((train, train_labels), (test, test_labels)) = (train?, test?);
    if (train.height, train.width) != (test.height, test.width) {
        return Err(own(DataError::format(
            folder.join(PARTS[1][0]),
            format!(
                "images of {} x {}, as for training",
                train.height, train.width
            ),
            format!("{} x {}", test.height, test.width),
        )));
    }
    let highest = train_labels.iter().chain(&test_labels).max();
    let classes = usize::from(highest.copied().unwrap_or_default()) + 1;
    let mut preparation = ImagePreparation {
        classes: (0..classes).map(|class| class.to_string()).collect(),
        channels: 1,
        height: train.height,
        width: train.width,
        resize: false,
        mean: vec![0.0],
        deviation: vec![1.0],
    };
    let parting = Parting {
        validation: options.validation,
        test: Share::Count(0),
        seed: options.seed,
    };
    let mut drawn = parting.split(&preparation.set(train.pixels, train_labels))?;
    drawn
        .train
        .truncate(options.train_limit.unwrap_or(usize::MAX));
    (preparation.mean, preparation.deviation) =
        normalisation(&drawn.train.pixels, 1, train.height * train.width);
    let normalised = |set: ImageSet| preparation.set(set.pixels, set.labels);
    let split = Split {
        train: normalised(drawn.train),
        validation: drawn.validation.map(normalised),
        test: preparation.set(test.pixels, test_labels),
    };
    Ok(OwnImages {
        warnings: split.warnings(&preparation.classes),
        split,
        preparation,
    })
}

/// Files of one's own have no original.
fn own(error: DataError) -> DataError {
    error.or_remedy(
        "Write the file anew: a header of big-endian numbers, then a byte a pixel, or an integer of one, two or four bytes a label",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, gzip, idx_file};
    use crate::{DatasetName, Warning, mnist};
    use std::fs;

    /// Two grey pictures of 2 x 3 a class to train on and one to test on, in eleven classes.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (part, each) in PARTS.iter().zip([2u32, 1]) {
            let count = 11 * each;
            let pixels: Vec<u8> = (0..6 * count).map(|at| (at / 6) as u8).collect();
            let labels: Vec<u8> = (0..count).map(|at| (at % 11) as u8).collect();
            fs::write(
                folder.path().join(part[0]),
                idx_file(&[count, 2, 3], &pixels),
            )
            .unwrap();
            let packed = gzip(&idx_file(&[count], &labels)).unwrap();
            fs::write(folder.path().join(format!("{}.gz", part[1])), packed).unwrap();
        }
        folder
    }

    #[test]
    fn any_size_and_any_number_of_classes_are_read() {
        let folder = folder();
        let read = idx_folder(folder.path(), &IdxOptions::default()).unwrap();
        let Split { train, test, .. } = &read.split;
        assert_eq!(
            (train.len(), train.height, train.width, train.classes),
            (22, 2, 3, 11)
        );
        assert_eq!(
            (test.len(), test.labels()[10], test.pixels(10)),
            (11, 10, &[10; 6][..])
        );
        assert!((f64::from(train.mean[0]) - 10.5 / 255.0).abs() < 1e-6);
        assert_eq!(read.preparation.classes[10], "10");
        assert!(matches!(read.warnings[..], [Warning::FewSamples { .. }]));
        // What MNIST is not is told where to go.
        let text = mnist(Some(folder.path())).unwrap_err().to_string();
        assert!(
            text.contains(
                "found images of 2 x 3. Get the file again if it is damaged; files of your own"
            ),
            "{text}"
        );
    }

    #[test]
    fn more_classes_than_a_byte_has_are_read() {
        let folder = folder();
        let labels: Vec<u8> = (0..11u32).flat_map(|at| (30 * at).to_be_bytes()).collect();
        let mut file = idx_file(&[11], &labels);
        file[2] = 0x0c;
        fs::remove_file(folder.path().join(format!("{}.gz", PARTS[1][1]))).unwrap();
        fs::write(folder.path().join(PARTS[1][1]), file).unwrap();
        let read = idx_folder(folder.path(), &IdxOptions::default()).unwrap();
        assert_eq!(read.split.test.classes, 301);
        assert_eq!(read.split.test.labels()[10], 300);
    }

    #[test]
    fn a_class_that_only_the_test_part_has_is_one_and_is_told() {
        let folder = folder();
        let packed = gzip(&idx_file(&[11], &[12; 11])).unwrap();
        fs::write(folder.path().join(format!("{}.gz", PARTS[1][1])), packed).unwrap();
        let read = idx_folder(folder.path(), &IdxOptions::default()).unwrap();
        assert_eq!(
            (read.split.train.classes, read.split.test.labels()[0]),
            (13, 12)
        );
        let told: Vec<String> = read.warnings.iter().map(Warning::to_string).collect();
        assert!(
            told.contains(&"the train part has no sample of '11', '12'".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn what_is_kept_has_all_classes_and_its_own_normalisation() {
        let options = IdxOptions {
            validation: Share::Count(11),
            train_limit: Some(3),
            ..IdxOptions::default()
        };
        let read = idx_folder(folder().path(), &options).unwrap();
        let Split {
            train, validation, ..
        } = &read.split;
        let mut held: Vec<u16> = validation.as_ref().unwrap().labels().to_vec();
        held.sort_unstable();
        assert_eq!(held, (0..11).collect::<Vec<u16>>(), "one of each class");
        assert_eq!(train.len(), 3);
        // A picture of number n is of the value n.
        let mean = (0..3).map(|at| f64::from(train.pixels(at)[0])).sum::<f64>() / 3.0;
        assert!((f64::from(train.mean[0]) - mean / 255.0).abs() < 1e-6);
        assert_eq!(validation.as_ref().unwrap().mean, train.mean);
        let told: Vec<String> = read.warnings.iter().map(Warning::to_string).collect();
        assert!(
            told.iter()
                .any(|text| text.starts_with("the train part has no sample of ")),
            "{told:?}"
        );
        let all = IdxOptions {
            validation: Share::Count(22),
            ..options
        };
        let text = idx_folder(folder().path(), &all).unwrap_err().to_string();
        assert!(
            text.contains("leave nothing to train on of 22 samples"),
            "{text}"
        );
    }

    #[test]
    fn files_of_mnist_are_read_to_the_same_pictures() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Mnist, folder.path(), 40, 3).unwrap();
        let (own, theirs) = (
            idx_folder(folder.path(), &IdxOptions::default()).unwrap(),
            mnist(Some(folder.path())).unwrap(),
        );
        let sorted = |set: &ImageSet| {
            let mut all: Vec<_> = (0..set.len())
                .map(|at| (set.labels()[at], set.pixels(at).to_vec()))
                .collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&own.split.train), sorted(&theirs.train));
        assert_eq!(own.split.test.labels(), theirs.test.labels());
    }

    #[test]
    fn faults_are_named_and_advice_fits() {
        let folder = folder();
        let fault = || {
            idx_folder(folder.path(), &IdxOptions::default())
                .unwrap_err()
                .to_string()
        };
        fs::write(
            folder.path().join(PARTS[1][0]),
            idx_file(&[11, 1, 1], &[0; 11]),
        )
        .unwrap();
        let text = fault();
        assert!(
            text.contains(
                "expected images of 2 x 3, as for training, found 1 x 1. Write the file anew"
            ),
            "{text}"
        );
        fs::write(
            folder.path().join(PARTS[0][0]),
            idx_file(&[21, 2, 3], &[0; 126]),
        )
        .unwrap();
        assert!(fault().contains(
            "expected 21 labels, one for each image of train-images-idx3-ubyte, found 22"
        ));
        // More exact advice stays.
        let mut floats = idx_file(&[22, 2, 3], &[0; 4 * 132]);
        floats[2] = 0x0d;
        fs::write(folder.path().join(PARTS[0][0]), floats).unwrap();
        assert!(fault().contains("found 32-bit floats in 3 dimensions. Write the pixels as"));
        fs::write(folder.path().join(PARTS[0][0]), [0, 0, 8]).unwrap();
        assert!(fault().contains("3 bytes: cut short. Write the file anew"));
        fs::remove_file(folder.path().join(PARTS[0][0])).unwrap();
        let text = fault();
        assert!(
            text.starts_with("idx: no train-images-idx3-ubyte.gz in "),
            "{text}"
        );
        assert!(
            text.contains("t10k-labels-idx1-ubyte with --data-dir, each packed by gzip or not"),
            "{text}"
        );
    }
}
