//! The IDX format of MNIST and its relatives.
//!
//! A header of big-endian 32-bit numbers (a magic number whose last byte counts the dimensions, then the size of each
//! dimension), then the values, one unsigned byte each.
//! Source: <http://yann.lecun.com/exdb/mnist/>.

use std::path::Path;

use super::DataError;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// The images of one IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// `count * height * width` grey values, image by image, row by row.
    pub pixels: Vec<u8>,
}

/// Reads an unpacked IDX file of images; `file` only names it in errors.
///
/// # Errors
///
/// [`DataError::Format`] if the magic number is another, a dimension is zero, or the data is shorter or longer than the
/// header says.
pub fn images(file: &Path, bytes: &[u8]) -> Result<IdxImages, DataError> {
    let ([count, height, width], pixels) = split::<3>(file, bytes, IMAGES, "IDX images")?;
    Ok(IdxImages {
        count,
        height,
        width,
        pixels: pixels.to_vec(),
    })
}

/// Reads an unpacked IDX file of labels, each below `classes`; `file` only names it in errors.
///
/// # Errors
///
/// [`DataError::Format`] as for [`images`], and if a label is not below `classes`.
pub fn labels(file: &Path, bytes: &[u8], classes: usize) -> Result<Vec<u8>, DataError> {
    let (_, labels) = split::<1>(file, bytes, LABELS, "IDX labels")?;
    match labels.iter().position(|l| usize::from(*l) >= classes) {
        None => Ok(labels.to_vec()),
        Some(at) => Err(DataError::format(
            file,
            format!("labels from 0 to {}", classes.saturating_sub(1)),
            format!("label {} at position {at}", labels[at]),
        )),
    }
}

/// Checks the header and returns the dimensions with the values after it.
fn split<'a, const N: usize>(
    file: &Path,
    bytes: &'a [u8],
    magic: u32,
    what: &str,
) -> Result<([usize; N], &'a [u8]), DataError> {
    let short = |expected: String| {
        DataError::format(file, expected, format!("{} bytes: cut short", bytes.len()))
    };
    let header = 4 + 4 * N;
    let Some(found) = word(bytes, 0) else {
        return Err(short(format!("{what}, a header of {header} bytes")));
    };
    if found != magic {
        return Err(DataError::format(
            file,
            format!("{what}, magic number {magic:#010x}"),
            format!("{found:#010x}"),
        ));
    }
    let mut dimensions = [0usize; N];
    let mut length = Some(1usize);
    for (i, dimension) in dimensions.iter_mut().enumerate() {
        let Some(value) = word(bytes, 4 + 4 * i) else {
            return Err(short(format!("{what}, a header of {header} bytes")));
        };
        if value == 0 {
            return Err(DataError::format(
                file,
                "a size above 0 in every dimension",
                format!("0 in dimension {}", i + 1),
            ));
        }
        *dimension = value as usize;
        length = length.and_then(|l| l.checked_mul(*dimension));
    }
    let values = &bytes[header..];
    let shape = dimensions.map(|d| d.to_string()).join(" x ");
    if length != Some(values.len()) {
        let end = match length {
            Some(length) if length < values.len() => "trailing data",
            _ => "cut short",
        };
        return Err(DataError::format(
            file,
            format!("{shape} values, as its header says"),
            format!("{} values: {end}", values.len()),
        ));
    }
    Ok((dimensions, values))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(magic: u32, dimensions: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_be_bytes().to_vec();
        for dimension in dimensions {
            bytes.extend(dimension.to_be_bytes());
        }
        bytes.extend(values);
        bytes
    }

    fn image_fault(bytes: &[u8]) -> String {
        images(Path::new("i"), bytes).unwrap_err().to_string()
    }

    fn label_fault(bytes: &[u8]) -> String {
        labels(Path::new("l"), bytes, 10).unwrap_err().to_string()
    }

    #[test]
    fn whole_files_are_read() {
        let read = images(Path::new("i"), &file(IMAGES, &[2, 1, 2], &[1, 2, 3, 4])).unwrap();
        assert_eq!((read.count, read.height, read.width), (2, 1, 2));
        assert_eq!(read.pixels, [1, 2, 3, 4]);
        let read = labels(Path::new("l"), &file(LABELS, &[3], &[0, 9, 5]), 10).unwrap();
        assert_eq!(read, [0, 9, 5]);
    }

    #[test]
    fn another_magic_number() {
        let text = image_fault(&file(LABELS, &[2, 1, 2], &[1, 2, 3, 4]));
        assert!(
            text.starts_with("i: expected IDX images, magic number 0x00000803, found 0x00000801.")
        );
    }

    #[test]
    fn cut_short() {
        assert!(image_fault(&[0, 0]).contains("2 bytes: cut short"));
        assert!(image_fault(&file(IMAGES, &[2, 1], &[])).contains("12 bytes: cut short"));
        let text = image_fault(&file(IMAGES, &[2, 1, 2], &[1, 2, 3]));
        assert!(text.contains("2 x 1 x 2 values, as its header says, found 3 values: cut short"));
    }

    #[test]
    fn sizes_that_overflow() {
        let text = image_fault(&file(IMAGES, &[u32::MAX, u32::MAX, u32::MAX], &[1]));
        assert!(text.contains("cut short"));
    }

    #[test]
    fn trailing_data_and_empty_dimensions() {
        assert!(label_fault(&file(LABELS, &[1], &[1, 2])).contains("trailing data"));
        assert!(label_fault(&file(LABELS, &[0], &[])).contains("0 in dimension 1"));
    }

    #[test]
    fn label_out_of_range() {
        let text = label_fault(&file(LABELS, &[2], &[1, 10]));
        assert!(text.contains("labels from 0 to 9, found label 10 at position 1"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(
            known in any::<bool>(), label in any::<bool>(),
            tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = Vec::new();
            if known { bytes.extend((if label { LABELS } else { IMAGES }).to_be_bytes()); }
            bytes.extend(tail);
            if let Ok(read) = images(Path::new("i"), &bytes) {
                prop_assert_eq!(read.count * read.height * read.width, read.pixels.len());
            }
            if let Ok(read) = labels(Path::new("l"), &bytes, 10) {
                prop_assert!(read.iter().all(|l| *l < 10));
            }
        }
    }
}
