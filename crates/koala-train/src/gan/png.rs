//! Pictures of 8 bits a channel as files in the format PNG.

use std::io;

use png::{BitDepth, ColorType, Compression, Encoder, Filter};

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
    let color = match channels {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        _ => return Err(fault("a picture has 1 or 3 channels")),
    };
    if ![width, height].iter().all(|n| (1..=LONGEST).contains(n)) {
        return Err(fault("a picture has sides of 1 to 16384 pixels"));
    }
    if bytes.len() != width * height * channels {
        return Err(fault("a picture has a byte for each channel of each pixel"));
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    // Both are named, so that the same picture stays the same file whatever a later release prefers.
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Sub);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(file)
}

/// What tests read pictures with.
#[cfg(test)]
pub(super) mod reader {
    use png::{BitDepth, ColorType, Decoder};
    use std::io::Cursor;

    /// Width, height, channels and bytes of a picture that [`encode`](super::encode) wrote.
    pub(crate) fn decode(file: &[u8]) -> ([usize; 2], usize, Vec<u8>) {
        let mut reader = Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        reader.finish().unwrap();
        let channels = match (info.color_type, info.bit_depth) {
            (ColorType::Grayscale, BitDepth::Eight) => 1,
            (ColorType::Rgb, BitDepth::Eight) => 3,
            other => panic!("{other:?}"),
        };
        ([info.width as usize, info.height as usize], channels, bytes)
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
