//! Many images as one picture.

use std::io;

use super::{Pictures, png};

/// Pixels between images and around them.
const GUTTER: usize = 2;
/// The byte of every channel of the gutters.
const BACKGROUND: u8 = 255;

/// Images as one PNG picture, `columns` of them side by side and as many rows as they need, with white gutters.
///
/// -1 is black and 1 white, or the full colour; values outside are cut off, and what is not a number is black.
///
/// # Errors
///
/// If the images cannot be shown: there are none, they have neither 1 nor 3 channels, or the picture's sides would be longer
/// than 16,384 pixels.
pub fn grid(images: &Pictures, columns: usize) -> io::Result<Vec<u8>> {
    let fault = |fault: String| io::Error::new(io::ErrorKind::InvalidInput, fault);
    if images.is_empty() || columns == 0 {
        return Err(fault("there are no images to show".into()));
    }
    let [channels, height, width] = images.shape();
    if ![1, 3].contains(&channels) {
        return Err(fault(format!(
            "images of 1 or 3 channels can be shown, not of {channels}"
        )));
    }
    let columns = columns.min(images.len());
    let rows = images.len().div_ceil(columns);
    let side = |count: usize, pixels: usize| {
        let side = (pixels.checked_add(GUTTER)?).checked_mul(count)?;
        side.checked_add(GUTTER).filter(|side| *side <= 1 << 14)
    };
    let (Some(across), Some(down)) = (side(columns, width), side(rows, height)) else {
        return Err(fault(format!(
            "{rows} x {columns} images of {height} x {width} pixels are too many for one picture"
        )));
    };
    let mut bytes = vec![BACKGROUND; across * down * channels];
    for (i, image) in images.iter().enumerate() {
        let top = GUTTER + i / columns * (height + GUTTER);
        let left = GUTTER + i % columns * (width + GUTTER);
        for (place, value) in image.iter().enumerate() {
            let (channel, y, x) = (
                place / (height * width),
                place / width % height,
                place % width,
            );
            // `as` cuts off what is outside.
            bytes[((top + y) * across + left + x) * channels + channel] =
                (127.5 * (value + 1.0)).round() as u8;
        }
    }
    png::encode([across, down], channels, &bytes)
}

#[cfg(test)]
mod tests {
    use super::super::png::reader::decode;
    use super::*;

    /// `count` images whose values tell where they are from.
    fn pictures(count: usize, shape: [usize; 3]) -> Pictures {
        let size: usize = shape.iter().product();
        let values = (0..count * size).map(|i| (i % 256) as f32 / 127.5 - 1.0);
        Pictures::from_values(shape, values.collect())
    }

    #[test]
    fn every_pixel_is_where_it_belongs() {
        for (count, columns, [channels, height, width]) in [
            (5, 3, [3, 4, 2]),
            (4, 2, [1, 3, 5]),
            (2, 9, [3, 2, 2]),
            (1, 1, [1, 1, 1]),
        ] {
            let images = pictures(count, [channels, height, width]);
            let content = grid(&images, columns).unwrap();
            let columns = columns.min(count);
            let rows = count.div_ceil(columns);
            let ([across, down], depth, bytes) = decode(&content);
            assert_eq!(across, columns * (width + 2) + 2);
            assert_eq!(down, rows * (height + 2) + 2);
            assert_eq!(depth, channels);
            for (i, byte) in bytes.iter().enumerate() {
                let (channel, x, y) = (i % channels, i / channels % across, i / channels / across);
                let inside = |at: usize, pixels: usize| {
                    (at % (pixels + 2) >= 2).then(|| (at / (pixels + 2), at % (pixels + 2) - 2))
                };
                let expected = match (inside(x, width), inside(y, height)) {
                    (Some((column, x)), Some((row, y))) if row * columns + column < count => {
                        let image = row * columns + column;
                        (((image * channels + channel) * height + y) * width + x) % 256
                    }
                    _ => 255,
                };
                assert_eq!(usize::from(*byte), expected, "{x} {y} {channel}");
            }
        }
    }

    #[test]
    fn values_outside_are_cut_off() {
        let values = vec![-3.0, 7.0, f32::NAN, f32::INFINITY, -1.0, 1.0];
        let bytes = decode(&grid(&Pictures::from_values([1, 1, 6], values), 1).unwrap()).2;
        assert_eq!(bytes[2 * 10 + 2..2 * 10 + 8], [0, 255, 0, 255, 0, 255]);
    }

    #[test]
    fn what_cannot_be_shown_is_an_error_that_says_why() {
        for (images, columns, cause) in [
            (pictures(0, [3, 2, 2]), 2, "no images"),
            (pictures(2, [3, 2, 2]), 0, "no images"),
            (pictures(2, [2, 2, 2]), 2, "not of 2"),
            (pictures(9, [1, 1, 2000]), 9, "too many"),
        ] {
            let error = grid(&images, columns).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
