//! CIFAR-10 and CIFAR-100 from their original binary files.
//!
//! A. Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*, 2009. Each has 50,000 colour images of 32 x 32
//! to train on and 10,000 to test on, in 10 or 100 classes. A file is a row of records: the label (in CIFAR-100 the
//! label of one of 20 groups, then that of the class), then 1,024 bytes each of red, green and blue, row by row.
//! Source: <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::path::Path;

use super::{DataError, DatasetName, ImageSet, Split, place};

const SIDE: usize = 32;
const CHANNELS: usize = 3;
const IMAGE: usize = CHANNELS * SIDE * SIDE;
/// Groups of CIFAR-100's classes.
const GROUPS: u8 = 20;
/// Size that no file comes near (CIFAR-100's has 154 MB).
const LIMIT: usize = 1 << 30;

/// What to do with labels that there are not: the file is damaged, or it is another data set.
const OTHER: &str = "Get the file again if it is damaged; pictures of your own, with other classes, are read from a folder of \
                     PNG or JPEG files, one folder a class";

struct Form {
    dataset: DatasetName,
    train: &'static [&'static str],
    test: &'static str,
    classes: u8,
    /// Bytes of a record before the class.
    before_class: usize,
    mean: [f32; 3],
    deviation: [f32; 3],
}

const CIFAR10: Form = Form {
    dataset: DatasetName::Cifar10,
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    classes: 10,
    before_class: 0,
    mean: [0.4914, 0.4822, 0.4465],
    deviation: [0.2470, 0.2435, 0.2616],
};

const CIFAR100: Form = Form {
    dataset: DatasetName::Cifar100,
    train: &["train.bin"],
    test: "test.bin",
    classes: 100,
    before_class: 1,
    mean: [0.5071, 0.4865, 0.4409],
    deviation: [0.2673, 0.2564, 0.2762],
};

/// Reads CIFAR-10 from `folder`, from its folder `cifar-10-batches-bin`, or from the places where it usually is.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, cut short or holds a label that there is not.
pub fn cifar10(folder: Option<&Path>) -> Result<Split, DataError> {
    read(&CIFAR10, folder, None)
}

/// Reads CIFAR-100 with its 100 classes from `folder`, from its folder `cifar-100-binary`, or from the places where it
/// usually is.
///
/// # Errors
///
/// [`DataError`] as [`cifar10`].
pub fn cifar100(folder: Option<&Path>) -> Result<Split, DataError> {
    read(&CIFAR100, folder, None)
}

/// As [`cifar10`], but of the training part the first `limit` images alone, and no more files than hold them: the others may
/// be missing.
///
/// # Errors
///
/// [`DataError`] as [`cifar10`], of what is read.
pub fn cifar10_limited(folder: Option<&Path>, limit: Option<usize>) -> Result<Split, DataError> {
    read(&CIFAR10, folder, limit)
}

/// As [`cifar100`], but of the training part the first `limit` images alone.
///
/// # Errors
///
/// [`DataError`] as [`cifar10`], of what is read.
pub fn cifar100_limited(folder: Option<&Path>, limit: Option<usize>) -> Result<Split, DataError> {
    read(&CIFAR100, folder, limit)
}

fn read(form: &Form, folder: Option<&Path>, limit: Option<usize>) -> Result<Split, DataError> {
    let folder = place::find(form.dataset, folder)?;
    let empty = ImageSet {
        channels: CHANNELS,
        height: SIDE,
        width: SIDE,
        classes: usize::from(form.classes),
        white: 255,
        mean: form.mean.to_vec(),
        deviation: form.deviation.to_vec(),
        pixels: Vec::new(),
        labels: Vec::new(),
    };
    let limit = limit.unwrap_or(usize::MAX);
    let (mut train, mut test) = (empty.clone(), empty);
    for name in form.train {
        if train.len() >= limit {
            break;
        }
        let left = limit - train.len();
        add(form, &folder, name, left, &mut train)?;
    }
    add(form, &folder, form.test, usize::MAX, &mut test)?;
    Ok(Split::new(train, test))
}

/// Adds the first images of one file, `limit` at most, and reads no more of it than they take.
fn add(
    form: &Form,
    folder: &Path,
    name: &str,
    limit: usize,
    set: &mut ImageSet,
) -> Result<(), DataError> {
    let (path, record) = (folder.join(name), form.record());
    let wanted = limit.saturating_mul(record);
    let bytes = if wanted < LIMIT {
        let (bytes, whole) = place::read_beginning(form.dataset, folder, name, wanted)?;
        // What is not read is at least of the right length.
        if !whole.is_multiple_of(record as u64) {
            return Err(no_records(&path, record, whole));
        }
        bytes
    } else {
        place::read(form.dataset, folder, name, LIMIT)?
    };
    parse(form, &path, &bytes, set)
}

fn no_records(file: &Path, record: usize, bytes: u64) -> DataError {
    DataError::format(
        file,
        format!("records of {record} bytes"),
        format!("{bytes} bytes"),
    )
}

impl Form {
    /// Bytes of a record.
    fn record(&self) -> usize {
        self.before_class + 1 + IMAGE
    }
}

/// Adds the records of one file.
fn parse(form: &Form, file: &Path, bytes: &[u8], set: &mut ImageSet) -> Result<(), DataError> {
    let record = form.record();
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        return Err(no_records(file, record, bytes.len() as u64));
    }
    let count = bytes.len() / record;
    set.labels.reserve(count);
    set.pixels.reserve(count * IMAGE);
    for (at, record) in bytes.chunks_exact(record).enumerate() {
        let (labels, pixels) = record.split_at(form.before_class + 1);
        let [group @ .., class] = labels else {
            continue;
        };
        if let Some(group) = group.iter().find(|g| **g >= GROUPS) {
            return Err(DataError::format(
                file,
                format!("labels of groups from 0 to {}", GROUPS - 1),
                format!("label {group} at position {at}"),
            )
            .with_remedy(OTHER));
        }
        if *class >= form.classes {
            return Err(DataError::format(
                file,
                format!("labels from 0 to {}", form.classes - 1),
                format!("label {class} at position {at}"),
            )
            .with_remedy(OTHER));
        }
        set.labels.push(u16::from(*class));
        set.pixels.extend_from_slice(pixels);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use proptest::prelude::*;
    use std::fs;

    #[test]
    fn the_folder_and_the_one_around_it_do() {
        let around = tempfile::tempdir().unwrap();
        for (dataset, inner, read) in [
            (
                DatasetName::Cifar10,
                "cifar-10-batches-bin",
                cifar10 as fn(Option<&Path>) -> _,
            ),
            (DatasetName::Cifar100, "cifar-100-binary", cifar100),
        ] {
            sample::write(dataset, around.path(), 50, 3).unwrap();
            let split: Split = read(Some(around.path())).unwrap();
            assert_eq!(
                (split.train.len(), split.train.pixels(49).len()),
                (50, 3072)
            );
            assert!(!split.test.is_empty());
            assert_eq!(read(Some(&around.path().join(inner))).unwrap(), split);
        }
    }

    #[test]
    fn files_are_read_in_order_and_planes_stay_planes() {
        let folder = tempfile::tempdir().unwrap();
        for (at, name) in CIFAR10.train.iter().chain([&CIFAR10.test]).enumerate() {
            let mut record = vec![at as u8];
            record.extend([1; 1024].iter().chain(&[2; 1024]).chain(&[3; 1024]));
            fs::write(folder.path().join(name), record).unwrap();
        }
        let split = cifar10(Some(folder.path())).unwrap();
        assert_eq!(split.train.labels(), [0, 1, 2, 3, 4]);
        assert_eq!(split.test.labels(), [5]);
        let pixels = split.train.pixels(4);
        assert_eq!((pixels[1023], pixels[1024], pixels[2048]), (1, 2, 3));
    }

    #[test]
    fn no_more_is_read_than_the_limit_asks_for() {
        let around = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Cifar10, around.path(), 50, 3).unwrap();
        let whole = cifar10(Some(around.path())).unwrap();
        assert_eq!(cifar10_limited(Some(around.path()), None).unwrap(), whole);
        let first = |limit| {
            let mut first = whole.clone();
            first.train.truncate(limit);
            first
        };
        let limited = |limit| cifar10_limited(Some(around.path()), Some(limit));
        for limit in [0, 1, 10, 11, 49, 50, 51, usize::MAX] {
            assert_eq!(limited(limit).unwrap(), first(limit), "{limit}");
        }
        // Ten images a file: of twelve, the last three files are not even looked for, and what follows in the second may be
        // damaged.
        let folder = around.path().join("cifar-10-batches-bin");
        for file in 3..=5 {
            fs::remove_file(folder.join(format!("data_batch_{file}.bin"))).unwrap();
        }
        let second = folder.join("data_batch_2.bin");
        let mut bytes = fs::read(&second).unwrap();
        bytes[2 * 3073] = 77;
        fs::write(&second, &bytes).unwrap();
        assert_eq!(limited(12).unwrap(), first(12));
        assert!(limited(13).unwrap_err().to_string().contains("label 77"));
        assert!(cifar10(Some(around.path())).is_err());
        fs::write(&second, &bytes[..9 * 3073 + 5]).unwrap();
        let text = limited(12).unwrap_err().to_string();
        assert!(
            text.contains("expected records of 3073 bytes, found 27662 bytes"),
            "{text}"
        );
    }

    #[test]
    fn faults_are_named() {
        let mut set = sample_set();
        let mut fault = |form: &Form, bytes: &[u8]| {
            parse(form, Path::new("f.bin"), bytes, &mut set)
                .unwrap_err()
                .to_string()
        };
        assert!(
            fault(&CIFAR10, &[]).contains("f.bin: expected records of 3073 bytes, found 0 bytes")
        );
        for length in [1, 3072, 3074, 6145] {
            assert!(fault(&CIFAR10, &vec![0; length]).contains("records of 3073 bytes"));
        }
        assert!(fault(&CIFAR100, &[0; 3073]).contains("records of 3074 bytes"));
        assert!(
            fault(&CIFAR10, &[10; 3073])
                .contains("labels from 0 to 9, found label 10 at position 0")
        );
        assert!(fault(&CIFAR100, &[20; 3074]).contains("groups from 0 to 19, found label 20"));
        let mut record = vec![0; 3074];
        record[1] = 100;
        assert!(fault(&CIFAR100, &record).contains("labels from 0 to 99, found label 100"));
    }

    #[test]
    fn a_missing_file_is_named_with_the_command_that_gets_it() {
        let text = cifar10(Some(Path::new("nowhere"))).unwrap_err().to_string();
        assert!(
            text.starts_with("cifar10: no data_batch_1.bin in nowhere. `koala data fetch cifar10`"),
            "{text}"
        );
    }

    fn sample_set() -> ImageSet {
        ImageSet {
            channels: 3,
            height: 32,
            width: 32,
            classes: 10,
            white: 255,
            mean: Vec::new(),
            deviation: Vec::new(),
            pixels: Vec::new(),
            labels: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(length in 0usize..10_000, byte: u8) {
            let mut set = sample_set();
            if parse(&CIFAR100, Path::new("f"), &vec![byte; length], &mut set).is_ok() {
                prop_assert_eq!(set.labels.len() * IMAGE, set.pixels.len());
            }
        }
    }

    /// By hand: `KOALA_CIFAR10=folder cargo test --release -p koala-data -- --ignored published`.
    #[test]
    #[ignore = "needs a CIFAR-10"]
    fn the_published_normalisation_is_that_of_the_training_part() {
        let folder = std::env::var_os("KOALA_CIFAR10").unwrap();
        let train = cifar10(Some(Path::new(&folder))).unwrap().train;
        for channel in 0..3 {
            let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
            for sample in 0..train.len() {
                for pixel in &train.pixels(sample)[1024 * channel..1024 * (channel + 1)] {
                    let value = f64::from(*pixel) / 255.0;
                    sum += value;
                    squares += value * value;
                    count += 1.0;
                }
            }
            let mean: f64 = sum / count;
            let deviation = (squares / count - mean * mean).sqrt();
            println!("channel {channel}: mean {mean:.4}, deviation {deviation:.4}");
            assert!((mean - f64::from(train.mean[channel])).abs() < 2e-3);
            assert!((deviation - f64::from(train.deviation[channel])).abs() < 2e-3);
        }
    }
}
