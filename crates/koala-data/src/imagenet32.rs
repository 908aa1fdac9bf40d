//! ImageNet in 32 x 32 from the NumPy archives of its authors.
//!
//! P. Chrabaszcz, I. Loshchilov, F. Hutter: *A Downsampled Variant of ImageNet as an Alternative to the CIFAR datasets*,
//! 2017, arXiv 1707.08819. 1,281,167 colour images to train on in ten files, 50,000 to test on (ImageNet's validation
//! part), in 1,000 classes. Each `.npz` is a zip archive of arrays: `data`, unsigned bytes of [n, 3072] (red, green and
//! blue plane of each image, row by row), and `labels`, n integers from 1 to 1000. An array `mean` is not used.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::npy::{self, NpyFault};
use super::{DataError, DatasetName, ImageSet, Split, place};

const DATASET: DatasetName = DatasetName::Imagenet32;
const SIDE: usize = 32;
const IMAGE: usize = 3 * SIDE * SIDE;
const CLASSES: u16 = 1000;
const BATCHES: usize = 10;
/// More images than any file has (the largest has 128,123), so that a file of a few kilobytes cannot ask for all memory.
const MOST: usize = 150_000;
/// Mean and standard deviation of ImageNet as torchvision documents them, at full size; the ones of the small images are
/// not published by their authors, and computing them would take a pass over 3.9 GB.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Reads ImageNet32 from `folder` or from the places where it usually is: of the training part the first `limit` samples
/// and no more files than they take, or all of it, which takes 3.9 GB of memory.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, cut short or damaged, or holds arrays of other types or shapes or
/// labels that there are not.
pub fn imagenet32(folder: Option<&Path>, limit: Option<usize>) -> Result<Split, DataError> {
    let folder = place::find(DATASET, folder)?;
    let empty = ImageSet {
        channels: 3,
        height: SIDE,
        width: SIDE,
        classes: usize::from(CLASSES),
        white: 255,
        mean: MEAN.to_vec(),
        deviation: DEVIATION.to_vec(),
        pixels: Vec::new(),
        labels: Vec::new(),
    };
    let limit = limit.unwrap_or(usize::MAX);
    let (mut train, mut test) = (empty.clone(), empty);
    for batch in 1..=BATCHES {
        if train.len() >= limit {
            break;
        }
        let left = limit - train.len();
        add(
            &folder,
            &format!("train_data_batch_{batch}"),
            left,
            &mut train,
        )?;
    }
    add(&folder, "val_data", usize::MAX, &mut test)?;
    Ok(Split::new(train, test))
}

/// Adds the first images of one file, `limit` at most.
fn add(folder: &Path, stem: &str, limit: usize, set: &mut ImageSet) -> Result<(), DataError> {
    let name = format!("{stem}.npz");
    let path = folder.join(&name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            return Err(if folder.join(stem).is_file() {
                DataError::Format {
                    file: folder.join(stem),
                    expected: format!("{name}, an archive of NumPy arrays"),
                    found: "a file without the ending .npz".to_owned(),
                    remedy: "The pickled batches are programs and are not read: get the archives with npz in their name".into(),
                }
            } else {
                place::missing(DATASET, &name, vec![folder.to_owned()])
            });
        }
        Err(cause) => return Err(DataError::Unreadable { file: path, cause }),
    };
    let fault = |part: &str, fault: NpyFault| {
        DataError::format(&path, format!("{} ({part})", fault.expected), fault.found)
    };
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|e| fault("zip archive", NpyFault::new("a whole .npz file", e)))?;
    let labels = labels(&mut archive).map_err(|f| fault("labels.npy", f))?;
    let pixels = pixels(&mut archive, labels.len(), limit).map_err(|f| fault("data.npy", f))?;
    set.labels.extend(labels.iter().take(limit).map(|l| l - 1));
    set.pixels.extend(pixels);
    Ok(())
}

type Archive = ZipArchive<BufReader<File>>;

fn labels(archive: &mut Archive) -> Result<Vec<u16>, NpyFault> {
    let mut entry = archive.by_name("labels.npy").map_err(no_entry)?;
    let header = npy::header(&mut entry)?;
    let [count] = header.shape[..] else {
        return Err(NpyFault::new("one dimension", header.shape.len()));
    };
    if count == 0 || count > MOST {
        return Err(NpyFault::new(format!("1 to {MOST} labels"), count));
    }
    let labels = npy::small_integers(&mut entry, &header.kind, count)?;
    end(&mut entry)?;
    match labels.iter().position(|l| !(1..=CLASSES).contains(l)) {
        None => Ok(labels),
        Some(at) => Err(NpyFault::new(
            format!("labels from 1 to {CLASSES}"),
            format!("label {} at position {at}", labels[at]),
        )),
    }
}

fn pixels(archive: &mut Archive, count: usize, limit: usize) -> Result<Vec<u8>, NpyFault> {
    let mut entry = archive.by_name("data.npy").map_err(no_entry)?;
    let header = npy::header(&mut entry)?;
    if header.kind != "|u1" || header.shape != [count, IMAGE] {
        return Err(NpyFault::new(
            format!("unsigned bytes ('|u1') of {count} x {IMAGE}, one row for each label"),
            format!("'{}' of {:?}", header.kind, header.shape),
        ));
    }
    let pixels = npy::elements(&mut entry, count.min(limit) * IMAGE)?;
    if limit >= count {
        end(&mut entry)?;
    }
    Ok(pixels)
}

/// Whether this is the end of an entry; reading to it compares its checksum.
fn end(entry: &mut impl Read) -> Result<(), NpyFault> {
    match entry.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(NpyFault::new("nothing after the elements", "more")),
        Err(cause) => Err(NpyFault::new("whole data", cause)),
    }
}

fn no_entry(cause: ZipError) -> NpyFault {
    NpyFault::new("the array in the archive", cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, npy_file, npz_file};
    use std::fs;

    fn folder(samples: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DATASET, folder.path(), samples, 3).unwrap();
        folder
    }

    #[test]
    fn ten_files_and_one_are_read() {
        let folder = folder(40);
        let split = imagenet32(Some(folder.path()), None).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (40, 8));
        assert_eq!(split.train.pixels(39).len(), IMAGE);
    }

    #[test]
    fn a_limit_reads_no_more_files_than_it_takes() {
        let folder = folder(40);
        let all = imagenet32(Some(folder.path()), None).unwrap();
        for batch in 3..=10 {
            fs::remove_file(folder.path().join(format!("train_data_batch_{batch}.npz"))).unwrap();
        }
        for limit in [1, 4, 5, 8] {
            let some = imagenet32(Some(folder.path()), Some(limit)).unwrap();
            let mut first = all.train.clone();
            first.truncate(limit);
            assert_eq!(some.train, first, "{limit}");
        }
        let text = imagenet32(Some(folder.path()), Some(9))
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("imagenet32: no train_data_batch_3.npz in"),
            "{text}"
        );
    }

    #[test]
    fn pickled_batches_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train_data_batch_1"), b"\x80\x03").unwrap();
        let text = imagenet32(Some(folder.path()), None)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("expected train_data_batch_1.npz, an archive"),
            "{text}"
        );
        assert!(
            text.contains("get the archives with npz in their name"),
            "{text}"
        );
    }

    fn fault(labels: &[u8], data: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = npz_file(&[("labels", labels), ("data", data)]).unwrap();
        fs::write(folder.path().join("train_data_batch_1.npz"), file).unwrap();
        imagenet32(Some(folder.path()), None)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn faults_are_named() {
        let one = npy_file("|u1", &[1], &[7]);
        let image = npy_file("|u1", &[1, IMAGE], &[0; IMAGE]);
        assert!(fault(&one, &image).contains("no train_data_batch_2.npz"));
        let zero = npy_file("|u1", &[1], &[0]);
        assert!(
            fault(&zero, &image)
                .contains("labels from 1 to 1000 (labels.npy), found label 0 at position 0")
        );
        let high = npy_file("<u2", &[1], &[233, 3]);
        assert!(fault(&high, &image).contains("found label 1001 at position 0"));
        let none = npy_file("|u1", &[0], &[]);
        assert!(fault(&none, &image).contains("1 to 150000 labels"));
        let two = npy_file("|u1", &[2], &[1, 2]);
        assert!(fault(&two, &image).contains(
            "'|u1') of 2 x 3072, one row for each label (data.npy), found '|u1' of [1, 3072]"
        ));
        let floats = npy_file("<f4", &[1, IMAGE], &[0; 4 * IMAGE]);
        assert!(fault(&one, &floats).contains("found '<f4'"));
        let short = npy_file("|u1", &[1, IMAGE], &[0; 9]);
        assert!(
            fault(&one, &short).contains(
                "3072 bytes of elements, as the header says (data.npy), found 9: cut short"
            )
        );
        let long = npy_file("|u1", &[1, IMAGE], &[0; IMAGE + 1]);
        assert!(fault(&one, &long).contains("nothing after the elements"));
    }

    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        let many = npy_file("|u1", &[1 << 40], &[]);
        assert!(fault(&many, &[]).contains("1 to 150000 labels (labels.npy), found 1099511627776"));
        // A bomb: a hundred million zeros behind an honest label, packed to a hundredth of that or less.
        let bomb = npy_file("|u1", &[1, IMAGE], &vec![0; 100_000_000]);
        let one = npy_file("|u1", &[1], &[7]);
        assert!(
            npz_file(&[("labels", &one), ("data", &bomb)])
                .unwrap()
                .len()
                < 1_000_000
        );
        assert!(fault(&one, &bomb).contains("nothing after the elements"));
    }

    #[test]
    fn a_file_cut_anywhere_is_named() {
        let folder = folder(10);
        let file = folder.path().join("train_data_batch_1.npz");
        let whole = fs::read(&file).unwrap();
        for length in (0..whole.len()).step_by(whole.len() / 60) {
            fs::write(&file, &whole[..length]).unwrap();
            let text = imagenet32(Some(folder.path()), None)
                .unwrap_err()
                .to_string();
            assert!(text.contains("train_data_batch_1.npz: expected"), "{text}");
        }
    }

    #[test]
    fn a_changed_byte_is_found_by_its_checksum() {
        let folder = folder(10);
        let file = folder.path().join("val_data.npz");
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(&file, bytes).unwrap();
        let text = imagenet32(Some(folder.path()), None)
            .unwrap_err()
            .to_string();
        assert!(text.contains("val_data.npz: expected"), "{text}");
    }
}
