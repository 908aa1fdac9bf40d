//! Bounded decompression.

use std::io::Read;
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::DataError;

/// Unpacks gzip data, but never to more than `limit` bytes, so that a damaged or malicious file cannot fill the memory.
///
/// `file` only names the data in errors.
///
/// # Errors
///
/// [`DataError::Format`] if the data is not gzip, is damaged, is followed by something else, or unpacks to more than
/// `limit` bytes.
pub fn inflate(file: &Path, packed: &[u8], limit: usize) -> Result<Vec<u8>, DataError> {
    if !packed.starts_with(&[0x1f, 0x8b]) {
        let found = match packed {
            [] => "an empty file".to_owned(),
            [one] => format!("a single byte {one:#04x}"),
            [first, second, ..] => format!("{first:#04x} {second:#04x}"),
        };
        return Err(DataError::format(
            file,
            "gzip data, which starts with 0x1f 0x8b",
            found,
        ));
    }
    let mut rest = packed;
    let mut unpacked = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(&mut rest)
        .take(bound)
        .read_to_end(&mut unpacked);
    if let Err(cause) = read {
        return Err(DataError::format(
            file,
            "whole gzip data",
            format!(
                "data that breaks after {} unpacked bytes ({cause})",
                unpacked.len()
            ),
        ));
    }
    if unpacked.len() > limit {
        return Err(DataError::format(
            file,
            format!("at most {limit} bytes when unpacked"),
            "more",
        ));
    }
    if !rest.is_empty() {
        return Err(DataError::format(
            file,
            "nothing after the gzip data",
            format!("{} more bytes", rest.len()),
        ));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn pack(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn fault(packed: &[u8], limit: usize) -> String {
        inflate(Path::new("a.gz"), packed, limit)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn whole_data_comes_back() {
        let data = inflate(Path::new("a.gz"), &pack(b"koala"), 5).unwrap();
        assert_eq!(data, b"koala");
    }

    #[test]
    fn faults_are_named() {
        let good = pack(&[7; 1000]);
        assert!(fault(b"plain", 10).starts_with("a.gz: expected gzip data"));
        assert!(fault(b"", 10).contains("an empty file"));
        assert!(fault(&good[..good.len() - 3], 1000).contains("breaks after"));
        assert!(fault(&good, 999).contains("at most 999 bytes"));
        let mut damaged = good.clone();
        let middle = damaged.len() - 6;
        damaged[middle] ^= 0x55;
        assert!(fault(&damaged, 1000).contains("whole gzip data"));
        let mut longer = good;
        longer.push(0);
        assert!(fault(&longer, 1000).contains("1 more bytes"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(tail in proptest::collection::vec(any::<u8>(), 0..300), magic: bool) {
            let mut bytes = if magic { vec![0x1f, 0x8b, 8] } else { Vec::new() };
            bytes.extend(tail);
            let _ = inflate(Path::new("a.gz"), &bytes, 1 << 16);
        }
    }
}
