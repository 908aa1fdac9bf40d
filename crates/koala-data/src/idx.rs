//! The IDX format of MNIST and its relatives.
//!
//! A header of big-endian 32-bit numbers (a magic number whose third byte tells what the values are and whose last counts the
//! dimensions, then the size of each dimension), then the values, big-endian too.
//! Source: <http://yann.lecun.com/exdb/mnist/>.

mod kind;

use std::path::Path;

use super::DataError;
use kind::{Kind, told};

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
/// [`DataError::Format`] if it is of something else than images of unsigned bytes, with how such are made of it; or if a
/// dimension is zero, or the data is shorter or longer than the header says.
pub fn images(file: &Path, bytes: &[u8]) -> Result<IdxImages, DataError> {
    let (_, [count, height, width], pixels) = split(file, bytes, "images", &[Kind::U8])?;
    Ok(IdxImages {
        count,
        height,
        width,
        pixels: pixels.to_vec(),
    })
}

/// Reads an unpacked IDX file of labels, bytes or integers of 16 or 32 bits, each below `classes`; `file` only names it in
/// errors.
///
/// # Errors
///
/// [`DataError::Format`] as for [`images`], and if a label is not below `classes`, or above what 16 bits hold.
pub fn labels(file: &Path, bytes: &[u8], classes: usize) -> Result<Vec<u16>, DataError> {
    let integers = [Kind::U8, Kind::I8, Kind::I16, Kind::I32];
    let (kind, _, values) = split::<1>(file, bytes, "labels", &integers)?;
    let within = |value: i64| {
        let label = u16::try_from(value).ok()?;
        (usize::from(label) < classes).then_some(label)
    };
    let labels = kind.integers(values).enumerate().map(|(at, value)| {
        within(value).ok_or_else(|| {
            DataError::format(
                file,
                format!("labels from 0 to {}", classes.saturating_sub(1)),
                format!("label {value} at position {at}"),
            )
            .with_remedy("Number the classes from 0 on: there is one more than the highest label")
        })
    });
    labels.collect()
}

/// Checks the header and returns what the values are, and the dimensions with the values after it.
fn split<'a, const N: usize>(
    file: &Path,
    bytes: &'a [u8],
    what: &str,
    taken: &[Kind],
) -> Result<(Kind, [usize; N], &'a [u8]), DataError> {
    let short = |expected: String| {
        DataError::format(file, expected, format!("{} bytes: cut short", bytes.len()))
    };
    let header = 4 + 4 * N;
    let Some(found) = word(bytes, 0) else {
        return Err(short(format!("IDX {what}, a header of {header} bytes")));
    };
    let kind = match Kind::of(found) {
        Some((kind, dimensions)) if dimensions == N && taken.contains(&kind) => kind,
        _ => return Err(kind::other(file, what, (taken, N), found)),
    };
    let mut dimensions = [0usize; N];
    let mut length = Some(1usize);
    for (i, dimension) in dimensions.iter_mut().enumerate() {
        let Some(value) = word(bytes, 4 + 4 * i) else {
            return Err(short(format!("IDX {what}, a header of {header} bytes")));
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
    let size = length.and_then(|length| length.checked_mul(kind.size()));
    if size != Some(values.len()) {
        let end = match size {
            Some(size) if size < values.len() => "trailing data",
            _ => "cut short",
        };
        return Err(DataError::format(
            file,
            format!("{shape} values ({}), as its header says", told(&[kind])),
            format!("{} bytes of them: {end}", values.len()),
        ));
    }
    Ok((kind, dimensions, values))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IMAGES: u32 = 0x0803;
    const LABELS: u32 = 0x0801;

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
    fn labels_may_be_any_integers() {
        for (magic, values) in [
            (0x0901, vec![0, 9, 5]),
            (0x0b01, vec![0, 0, 0, 9, 0, 5]),
            (0x0c01, vec![0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5]),
        ] {
            let read = labels(Path::new("l"), &file(magic, &[3], &values), 10).unwrap();
            assert_eq!(read, [0, 9, 5], "{magic:#x}");
        }
        let most = labels(
            Path::new("l"),
            &file(0x0c01, &[1], &[0, 0, 0xff, 0xff]),
            1 << 16,
        );
        assert_eq!(most.unwrap(), [u16::MAX]);
        // Neither wraps around.
        for (magic, values, found) in [
            (0x0901, vec![0xff], "-1"),
            (0x0b01, vec![0xff, 0xfe], "-2"),
            (0x0c01, vec![0, 1, 0, 0], "65536"),
        ] {
            let fault = labels(Path::new("l"), &file(magic, &[1], &values), usize::MAX);
            let text = fault.unwrap_err().to_string();
            assert!(
                text.contains(&format!("found label {found} at position 0")),
                "{text}"
            );
        }
    }

    #[test]
    fn of_other_kinds_is_told_what_is_there_and_what_makes_the_right_one() {
        let text = image_fault(&file(LABELS, &[2], &[1, 2]));
        assert_eq!(
            text,
            "i: expected IDX images, unsigned bytes in 3 dimensions, found unsigned bytes in 1 dimension. It may be a file of \
             labels: look which is which"
        );
        let text = image_fault(&file(0x0d03, &[1, 1, 1], &[0, 0, 0, 0]));
        assert!(
            text.contains("found 32-bit floats in 3 dimensions. Write the pixels as unsigned bytes: where they are from 0 to 1, `python3 -c "),
            "{text}"
        );
        let text = label_fault(&file(0x0e01, &[1], &[0; 8]));
        assert!(
            text.starts_with(
                "l: expected IDX labels, unsigned bytes or signed bytes or 16-bit integers or 32-bit integers in 1 dimension, \
                 found 64-bit floats in 1 dimension. Write the labels as integers: `python3 -c "
            ),
            "{text}"
        );
        for (magic, advice) in [
            (0x0804, "--dataset images"),
            (0x0802, "count, height and width of pictures"),
            (
                0x0308_0000,
                "found 0x03080000, a magic number backwards. Write the numbers of the header",
            ),
            (
                0x1f8b_0808,
                "found gzip data. Give it a name that ends with .gz",
            ),
            (
                0x8950_4e47,
                "found 0x89504e47, which is no magic number of IDX. Replace",
            ),
            (0x0a03, "which is no magic number"),
        ] {
            let text = image_fault(&file(magic, &[1, 1, 1, 1], &[0]));
            assert!(text.contains(advice), "{text}");
        }
        assert!(label_fault(&file(0x0802, &[1, 1], &[0])).contains("the place of the 1"));
    }

    /// The commands of the advice are those of the documentation, which were tried.
    #[test]
    fn commands_fit_the_file() {
        let packed = images(Path::new("my/i.gz"), &file(0x0b03, &[1, 1, 1], &[0, 0]));
        let text = packed.unwrap_err().to_string();
        assert!(
            text.contains(
                "where they are from 0 to 255, `python3 -c \"import gzip, numpy, sys; b = gzip.open(sys.argv[1], 'rb').read(); \
                 v = numpy.frombuffer(b, '>i2', offset=16); gzip.open(sys.argv[2], 'wb').write(bytes([0, 0, 8, 3]) + b[4:16] + \
                 v.round().clip(0, 255).astype('u1').tobytes())\" my/i.gz my/i.gz-new` does"
            ),
            "{text}"
        );
    }

    #[test]
    fn cut_short() {
        assert!(image_fault(&[0, 0]).contains("2 bytes: cut short"));
        assert!(image_fault(&file(IMAGES, &[2, 1], &[])).contains("12 bytes: cut short"));
        let text = image_fault(&file(IMAGES, &[2, 1, 2], &[1, 2, 3]));
        assert!(text.contains(
            "2 x 1 x 2 values (unsigned bytes), as its header says, found 3 bytes of them: cut short"
        ));
    }

    #[test]
    fn sizes_that_overflow() {
        let text = image_fault(&file(IMAGES, &[u32::MAX, u32::MAX, u32::MAX], &[1]));
        assert!(text.contains("cut short"));
    }

    #[test]
    fn trailing_data_and_empty_dimensions() {
        assert!(label_fault(&file(LABELS, &[1], &[1, 2])).contains("trailing data"));
        let text = label_fault(&file(0x0c01, &[2], &[0; 7]));
        assert!(
            text.contains("2 values (32-bit integers), as its header says, found 7 bytes"),
            "{text}"
        );
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
            known in any::<bool>(), kind in 7u32..16, dimensions in 0u32..5,
            tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = Vec::new();
            if known { bytes.extend((kind << 8 | dimensions).to_be_bytes()); }
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
