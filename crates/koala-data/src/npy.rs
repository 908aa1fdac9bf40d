//! The NPY format: one array of NumPy.
//!
//! `\x93NUMPY`, two bytes of version, the length of the header (two bytes, from version 2 on four, little-endian), the
//! header (a Python dictionary with `descr`, the type of the elements, `fortran_order` and `shape`), the elements.
//! Source: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
//!
//! Read here, since `npyz` 0.9 trusts a header: it multiplies the sizes of a shape unchecked, and every bracket that opens
//! within another doubles its time, so that a hundred bytes hold a program up for good.

use std::io::Read;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is read; NumPy's own limit is 10,000.
const LONGEST_HEADER: usize = 1 << 16;

/// What the header of an array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NpyHeader {
    /// Type of the elements, such as `|u1` or `<i8`.
    pub kind: String,
    /// Size of each dimension; the last runs fastest.
    pub shape: Vec<usize>,
}

/// What is wrong with an array: what was expected, what was found.
#[derive(Debug)]
pub(super) struct NpyFault {
    pub expected: String,
    pub found: String,
}

impl NpyFault {
    pub fn new(expected: impl Into<String>, found: impl ToString) -> Self {
        Self {
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}

/// Reads the header and leaves the reader at the first element.
pub(super) fn header(reader: &mut impl Read) -> Result<NpyHeader, NpyFault> {
    let cut = |e: std::io::Error| NpyFault::new("a whole NPY header", e);
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(cut)?;
    if &start[..6] != MAGIC {
        return Err(NpyFault::new(
            "an NPY array, which starts with \\x93NUMPY",
            format!("{:?}", String::from_utf8_lossy(&start[..6])),
        ));
    }
    let length = if start[6] < 2 {
        let mut length = [0; 2];
        reader.read_exact(&mut length).map_err(cut)?;
        usize::from(u16::from_le_bytes(length))
    } else {
        let mut length = [0; 4];
        reader.read_exact(&mut length).map_err(cut)?;
        u32::from_le_bytes(length) as usize
    };
    if length > LONGEST_HEADER {
        return Err(NpyFault::new(
            format!("an NPY header of at most {LONGEST_HEADER} bytes"),
            length,
        ));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text).map_err(cut)?;
    dictionary(&String::from_utf8_lossy(&text))
}

fn dictionary(text: &str) -> Result<NpyHeader, NpyFault> {
    let fault =
        |what: &str| NpyFault::new(format!("{what} in the NPY header"), format!("{text:?}"));
    let kind = value(text, "descr")
        .and_then(|v| v.strip_prefix('\''))
        .and_then(|v| v.split_once('\''))
        .map(|(kind, _)| kind.to_owned())
        .ok_or_else(|| fault("'descr' with a plain type"))?;
    match value(text, "fortran_order") {
        Some(order) if order.starts_with("False") => {}
        _ => return Err(fault("'fortran_order': False")),
    }
    let shape = value(text, "shape")
        .and_then(|v| v.strip_prefix('('))
        .and_then(|v| v.split_once(')'))
        .and_then(|(sizes, _)| {
            sizes
                .split(',')
                .map(str::trim)
                .filter(|size| !size.is_empty())
                .map(|size| size.parse().ok())
                .collect()
        })
        .ok_or_else(|| fault("'shape' with whole numbers"))?;
    Ok(NpyHeader { kind, shape })
}

/// What stands behind a key.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(&format!("'{key}'"))?;
    Some(behind.trim_start().strip_prefix(':')?.trim_start())
}

/// Reads `count` integers of a type, each of which must fit `u16`.
pub(super) fn small_integers(
    reader: &mut impl Read,
    kind: &str,
    count: usize,
) -> Result<Vec<u16>, NpyFault> {
    let (width, signed) = match kind {
        "|u1" => (1, false),
        "|i1" => (1, true),
        "<u2" => (2, false),
        "<i2" => (2, true),
        "<u4" => (4, false),
        "<i4" => (4, true),
        "<u8" => (8, false),
        "<i8" => (8, true),
        other => {
            return Err(NpyFault::new(
                "little-endian integers",
                format!("'{other}'"),
            ));
        }
    };
    let bytes = elements(reader, count.saturating_mul(width))?;
    let mut values = Vec::with_capacity(count);
    for (at, element) in bytes.chunks_exact(width).enumerate() {
        let negative = signed && element.last().is_some_and(|b| b & 0x80 != 0);
        let high = element.iter().skip(2).any(|b| *b != 0);
        if negative || high {
            return Err(NpyFault::new(
                "integers from 0 to 65535",
                format!("another at position {at}"),
            ));
        }
        let low = element.first().copied().unwrap_or_default();
        let next = element.get(1).copied().unwrap_or_default();
        values.push(u16::from_le_bytes([low, next]));
    }
    Ok(values)
}

/// Reads so many bytes; memory grows only as they come.
pub(super) fn elements(reader: &mut impl Read, bytes: usize) -> Result<Vec<u8>, NpyFault> {
    let mut read = Vec::new();
    reader
        .take(bytes as u64)
        .read_to_end(&mut read)
        .map_err(|e| NpyFault::new(format!("{bytes} bytes of elements"), e))?;
    if read.len() == bytes {
        Ok(read)
    } else {
        Err(NpyFault::new(
            format!("{bytes} bytes of elements, as the header says"),
            format!("{}: cut short", read.len()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::npy_file;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<NpyHeader, String> {
        header(&mut &bytes[..]).map_err(|f| format!("expected {}, found {}", f.expected, f.found))
    }

    #[test]
    fn headers_of_both_versions_are_read() {
        let shape = |kind: &str, shape: &[usize]| NpyHeader {
            kind: kind.to_owned(),
            shape: shape.to_vec(),
        };
        let file = npy_file("|u1", &[2, 3], &[0; 6]);
        assert_eq!(read(&file).unwrap(), shape("|u1", &[2, 3]));
        assert_eq!(
            read(&npy_file("<i8", &[7], &[])).unwrap(),
            shape("<i8", &[7])
        );
        assert_eq!(read(&npy_file("<f8", &[], &[])).unwrap(), shape("<f8", &[]));
        let text = b"{'shape': (4L, 2), 'descr': '|u1', 'fortran_order': False}";
        assert!(read(&[b"\x93NUMPY\x01\0\x3a\0", &text[..]].concat()).is_err());
        let text = b"{ 'shape':(4,) ,'descr' : '|u1','fortran_order':False, }";
        let second = [b"\x93NUMPY\x02\0\x38\0\0\0", &text[..]].concat();
        assert_eq!(read(&second).unwrap(), shape("|u1", &[4]));
    }

    #[test]
    fn faults_are_named() {
        let fault = |bytes: &[u8]| read(bytes).unwrap_err();
        assert!(fault(b"\x80\x03}q\0(X\x04\0\0").contains("starts with \\x93NUMPY"));
        assert!(
            fault(b"\x93NUMPY\x02\0\xff\xff\xff\xff")
                .contains("at most 65536 bytes, found 4294967295")
        );
        let file = npy_file("|u1", &[2, 3], &[]);
        for length in 0..file.len() {
            assert!(
                fault(&file[..length]).contains("a whole NPY header"),
                "{length}"
            );
        }
        let with = |text: &str| {
            fault(
                &[
                    b"\x93NUMPY\x01\0",
                    &[text.len() as u8, 0][..],
                    text.as_bytes(),
                ]
                .concat(),
            )
        };
        assert!(with("{}").contains("'descr' with a plain type"));
        assert!(with("{'descr': [('a', '<u2')], }").contains("'descr' with a plain type"));
        assert!(with("{'descr': '|u1', 'fortran_order': True}").contains("'fortran_order': False"));
        assert!(
            with("{'descr': '|u1', 'fortran_order': False, 'shape': (x,)}").contains("'shape'")
        );
    }

    #[test]
    fn integers_of_every_width_are_read() {
        let read = |kind, count, bytes: &[u8]| {
            small_integers(&mut &bytes[..], kind, count)
                .map_err(|f| format!("expected {}, found {}", f.expected, f.found))
        };
        assert_eq!(read("|u1", 2, &[1, 255]).unwrap(), [1, 255]);
        assert_eq!(read("<u2", 1, &[1, 255]).unwrap(), [0xff01]);
        assert_eq!(read("<i4", 1, &[1, 2, 0, 0]).unwrap(), [0x201]);
        assert_eq!(read("<i8", 1, &[232, 3, 0, 0, 0, 0, 0, 0]).unwrap(), [1000]);
        assert!(
            read("<i2", 1, &[0, 0x80])
                .unwrap_err()
                .contains("another at position 0")
        );
        assert!(read("|i1", 1, &[0xff]).is_err());
        assert!(read("<i4", 1, &[0, 0, 1, 0]).is_err());
        assert!(read("<f8", 1, &[0; 8]).unwrap_err().contains("found '<f8'"));
        assert!(
            read("<i8", 2, &[0; 15])
                .unwrap_err()
                .contains("found 15: cut short")
        );
        assert!(read("<i8", usize::MAX, &[0; 8]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(tail in proptest::collection::vec(any::<u8>(), 0..200), text in "[{}()',: a-z0-9|<]{0,100}") {
            let _ = read(&[MAGIC, &tail].concat());
            let _ = dictionary(&text);
        }
    }
}
