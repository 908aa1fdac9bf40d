//! Portable Network Graphics, as far as pictures of 8 bits a channel need it.
//!
//! ISO/IEC 15948. Written here, since the crates that do it change features that Burn's dependencies share, and flate2,
//! which is needed anyway, has both parts that take work: deflate and the checksum.

use std::io::{self, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture as a file: `bytes` are rows from top to bottom, pixels from left to right, and their channels, 1 for grey or
/// 3 for red, green and blue. Equal pictures give equal files.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] if the bytes are not as many as the size asks for, if a side is 0 or above 2^14, or if the
/// channels are neither 1 nor 3.
pub(super) fn encode(
    [width, height]: [usize; 2],
    channels: usize,
    bytes: &[u8],
) -> io::Result<Vec<u8>> {
    const LONGEST: usize = 1 << 14;
    let fault = |fault: &'static str| io::Error::new(io::ErrorKind::InvalidInput, fault);
    let color_type = match channels {
        1 => 0,
        3 => 2,
        _ => return Err(fault("a picture has 1 or 3 channels")),
    };
    if ![width, height].iter().all(|n| (1..=LONGEST).contains(n)) {
        return Err(fault("a picture has sides of 1 to 16384 pixels"));
    }
    if bytes.len() != width * height * channels {
        return Err(fault("a picture has a byte for each channel of each pixel"));
    }
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&(width as u32).to_be_bytes());
    header.extend_from_slice(&(height as u32).to_be_bytes());
    // 8 bits a channel, the only compression and filter method, no interlacing.
    header.extend_from_slice(&[8, color_type, 0, 0, 0]);
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(
        &mut file,
        b"IDAT",
        &compressed(width * channels, channels, bytes)?,
    );
    chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

/// The rows, each after the number of its filter, deflated.
fn compressed(row: usize, channels: usize, bytes: &[u8]) -> io::Result<Vec<u8>> {
    /// Differences from the pixel to the left: they compress better than the pixels.
    const SUB: u8 = 1;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut filtered = Vec::with_capacity(row + 1);
    for row in bytes.chunks_exact(row) {
        filtered.clear();
        filtered.push(SUB);
        filtered.extend_from_slice(&row[..channels]);
        filtered.extend(
            row[channels..]
                .iter()
                .zip(row)
                .map(|(b, left)| b.wrapping_sub(*left)),
        );
        encoder.write_all(&filtered)?;
    }
    encoder.finish()
}

/// Length, kind, content, and the checksum of kind and content.
fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    file.extend_from_slice(&(content.len() as u32).to_be_bytes());
    file.extend_from_slice(kind);
    file.extend_from_slice(content);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}

/// What tests read pictures with: it shares nothing with the writer but flate2's inflating.
#[cfg(test)]
pub(super) mod reader {
    use std::io::Read;

    /// Width, height, channels and bytes of a picture that [`encode`](super::encode) wrote.
    pub(crate) fn decode(file: &[u8]) -> ([usize; 2], usize, Vec<u8>) {
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap()) as usize;
        let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let length = number(&rest[..4]);
            assert_eq!(
                number(&rest[8 + length..12 + length]),
                checksum(&rest[4..8 + length])
            );
            chunks.push((&rest[4..8], &rest[8..8 + length]));
            rest = &rest[12 + length..];
        }
        let kinds: Vec<&[u8]> = chunks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [b"IHDR", b"IDAT", b"IEND"]);
        let header = chunks[0].1;
        let (width, height) = (number(&header[..4]), number(&header[4..8]));
        let channels = match &header[8..] {
            [8, 0, 0, 0, 0] => 1,
            [8, 2, 0, 0, 0] => 3,
            other => panic!("{other:?}"),
        };
        let mut filtered = Vec::new();
        flate2::read::ZlibDecoder::new(chunks[1].1)
            .read_to_end(&mut filtered)
            .unwrap();
        assert_eq!(filtered.len(), height * (1 + width * channels));
        let mut bytes = Vec::new();
        for row in filtered.chunks(1 + width * channels) {
            assert_eq!(row[0], 1);
            let start = bytes.len();
            for (i, difference) in row[1..].iter().enumerate() {
                let left = if i < channels {
                    0
                } else {
                    bytes[start + i - channels]
                };
                bytes.push(difference.wrapping_add(left));
            }
        }
        ([width, height], channels, bytes)
    }

    /// CRC-32, bit by bit.
    fn checksum(bytes: &[u8]) -> usize {
        let mut register = u32::MAX;
        for byte in bytes {
            register ^= u32::from(*byte);
            for _ in 0..8 {
                register = (register >> 1) ^ (0xedb8_8320 * (register & 1));
            }
        }
        !register as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The file that Python's zlib and the standard give for one grey pixel of 7.
    #[test]
    fn one_pixel_is_a_known_file() {
        let file = encode([1, 1], 1, &[7]).unwrap();
        let start = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0";
        assert_eq!(&file[..start.len()], start);
        assert!(file.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for (size, channels, count) in [
            ([0, 1], 1, 0),
            ([1, 0], 3, 0),
            ([2, 2], 2, 8),
            ([2, 2], 1, 5),
            ([1 << 15, 1], 1, 1 << 15),
            ([usize::MAX, usize::MAX], 3, 0),
        ] {
            assert!(encode(size, channels, &vec![0; count]).is_err(), "{size:?}");
        }
    }

    proptest! {
        #[test]
        fn pictures_are_read_back(
            width in 1usize..40, height in 1usize..40, color: bool, seed in prop::array::uniform32(any::<u8>())
        ) {
            let channels = if color { 3 } else { 1 };
            let bytes: Vec<u8> = (0..width * height * channels)
                .map(|i| seed[i % 32].wrapping_mul(i as u8).wrapping_add(seed[i / 7 % 32]))
                .collect();
            let file = encode([width, height], channels, &bytes).unwrap();
            prop_assert_eq!(reader::decode(&file), ([width, height], channels, bytes));
        }
    }
}
