//! One picture from a file: PNG, JPEG, WebP or BMP.
//!
//! It is turned as its EXIF data say, so that it lies as a viewer shows it. What is transparent is laid over white, as on
//! a page: drawings with a transparent ground are dark more often than light. More than eight bits a colour are rounded
//! to eight.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{FilterType, crop_imm, resize};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{DataError, jpeg, place};

/// Bytes of the largest file that is read.
const FILE_LIMIT: usize = 1 << 28;
/// Bytes that a picture may take once it is decoded: 178 million pixels of three bytes.
const DECODED_LIMIT: u64 = 1 << 29;
const REPLACE: &str = "Replace it with a whole copy, or take it out of the folder";

/// A decoded picture of eight bits a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub height: usize,
    pub width: usize,
    /// One plane of grey, or those of red, green and blue, each row by row.
    pub planes: Vec<u8>,
}

impl Picture {
    /// Whether it is one plane of grey.
    pub fn is_grey(&self) -> bool {
        self.planes.len() == self.height * self.width
    }

    /// Its planes, if it is to have three of them or one.
    pub fn into_planes(self, channels: usize) -> Vec<u8> {
        match (channels, self.is_grey()) {
            (1, false) => {
                let (red, rest) = self.planes.split_at(self.height * self.width);
                let (green, blue) = rest.split_at(self.height * self.width);
                let colours = red.iter().zip(green).zip(blue);
                let grey = |((r, g), b): ((&u8, &u8), &u8)| {
                    // The weights of ITU-R BT.601, which sum to 1.
                    let sum = 299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b);
                    ((sum + 500) / 1000) as u8
                };
                colours.map(grey).collect()
            }
            (1, true) | (_, false) => self.planes,
            (_, true) => self.planes.repeat(channels),
        }
    }

    fn of(image: &RgbImage) -> Self {
        let grey = image.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]);
        let channels = if grey { 1 } else { 3 };
        let plane = |channel: usize| image.pixels().map(move |p| p.0[channel]);
        Self {
            height: image.height() as usize,
            width: image.width() as usize,
            planes: (0..channels).flat_map(plane).collect(),
        }
    }
}

/// The format that the ending of a name promises, if it is one of those that are read.
pub(super) fn promised(file: &Path) -> Option<ImageFormat> {
    let ending = file
        .extension()
        .and_then(OsStr::to_str)?
        .to_ascii_lowercase();
    match ending.as_str() {
        "png" => Some(ImageFormat::Png),
        "jpg" | "jpeg" | "jpe" | "jfif" => Some(ImageFormat::Jpeg),
        "webp" => Some(ImageFormat::WebP),
        "bmp" | "dib" => Some(ImageFormat::Bmp),
        _ => None,
    }
}

/// Height and width of the picture of a file, from its first bytes.
///
/// # Errors
///
/// [`DataError`] as [`read`], of what the first bytes tell.
pub(super) fn size(file: &Path) -> Result<(usize, usize), DataError> {
    let bytes = bytes(file)?;
    decoding(file, &bytes, |mut decoder, _| {
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        let turned = matches!(
            orientation(&mut decoder),
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        Ok(if turned {
            (width, height)
        } else {
            (height, width)
        })
    })
}

/// Reads a picture: as it is, or its middle square made `side` pixels wide and high.
///
/// The square is as wide as the shorter side. It is resized by a triangle filter that widens as the picture shrinks,
/// which is what torchvision's `Resize(side)` and `CenterCrop(side)` do of a picture, but that nothing outside of the
/// square is resized first.
///
/// # Errors
///
/// [`DataError`] if the file cannot be read, is none of a format that is read, is damaged or cut short, or has more
/// pixels than 512 MiB hold.
pub(super) fn read(file: &Path, side: Option<usize>) -> Result<Picture, DataError> {
    let bytes = bytes(file)?;
    decode(file, &bytes, side)
}

fn bytes(file: &Path) -> Result<Vec<u8>, DataError> {
    let open = File::open(file).map_err(DataError::unreadable(file))?;
    place::read_open(file, open, FILE_LIMIT).map_err(|error| {
        error.with_remedy("Make the picture smaller, or take it out of the folder")
    })
}

fn decode(file: &Path, bytes: &[u8], side: Option<usize>) -> Result<Picture, DataError> {
    decoding(file, bytes, |mut decoder, name| {
        let turn = orientation(&mut decoder);
        let mut image =
            DynamicImage::from_decoder(decoder).map_err(|cause| damaged(file, name, &cause))?;
        image.apply_orientation(turn);
        let image = opaque(image);
        let Some(side) = side.and_then(|side| u32::try_from(side).ok()) else {
            return Ok(Picture::of(&image));
        };
        let (width, height) = image.dimensions();
        let shorter = width.min(height);
        let (left, top) = ((width - shorter) / 2, (height - shorter) / 2);
        let square = crop_imm(&image, left, top, shorter, shorter);
        Ok(Picture::of(&resize(
            &*square,
            side,
            side,
            FilterType::Triangle,
        )))
    })
}

/// Hands `work` the decoder of a file and the name of its format, once all that can be told beforehand has been checked. A
/// decoder that panics has failed, no more.
fn decoding<T>(
    file: &Path,
    bytes: &[u8],
    work: impl FnOnce(Box<dyn ImageDecoder + '_>, &str) -> Result<T, DataError>,
) -> Result<T, DataError> {
    let format = format(file, bytes)?;
    let name = name(format);
    if format == ImageFormat::Jpeg && !jpeg::is_whole(bytes) {
        return Err(DataError::own(
            file,
            "a JPEG file that is cut short",
            REPLACE,
        ));
    }
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODED_LIMIT);
        reader.limits(limits);
        let decoder = reader
            .into_decoder()
            .map_err(|cause| damaged(file, name, &cause))?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(DataError::own(
                file,
                format!("a {name} file without a pixel"),
                REPLACE,
            ));
        }
        if decoder.total_bytes() > DECODED_LIMIT {
            return Err(too_large(
                file,
                &format!("its picture of {width} x {height} pixels"),
            ));
        }
        work(Box::new(decoder), name)
    }));
    decoded.unwrap_or_else(|_| {
        let fault = format!("a damaged {name} file: its decoder failed");
        Err(DataError::own(file, fault, REPLACE))
    })
}

/// The format of the bytes, whatever the name says, if it is one that is read.
fn format(file: &Path, bytes: &[u8]) -> Result<ImageFormat, DataError> {
    let promise = promised(file).map_or("picture", name);
    let fault = match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Bmp),
        ) => return Ok(format),
        _ if bytes.is_empty() => "an empty file".to_owned(),
        Ok(other) => format!(
            "not a {promise} file although its name says so: it looks like {}, which is not read",
            other
                .extensions_str()
                .first()
                .map_or_else(String::new, |e| e.to_uppercase())
        ),
        Err(_) => format!(
            "not a {promise} file although its name says so: it begins with {}",
            beginning(bytes)
        ),
    };
    Err(DataError::own(file, fault, REPLACE))
}

/// The first bytes, as text if they are.
fn beginning(bytes: &[u8]) -> String {
    let first = &bytes[..bytes.len().min(16)];
    if first
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    {
        return format!("'{}'", first.escape_ascii());
    }
    let first: Vec<String> = first
        .iter()
        .take(4)
        .map(|byte| format!("{byte:#04x}"))
        .collect();
    first.join(" ")
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        _ => "BMP",
    }
}

fn damaged(file: &Path, name: &str, cause: &ImageError) -> DataError {
    match cause {
        ImageError::Limits(_) => too_large(file, "its picture"),
        ImageError::Unsupported(_) => DataError::own(
            file,
            format!("a {name} file of a kind that is not read: {cause}"),
            "Save it anew as PNG, or take it out of the folder",
        ),
        _ => DataError::own(file, format!("a damaged {name} file: {cause}"), REPLACE),
    }
}

fn too_large(file: &Path, what: &str) -> DataError {
    DataError::own(
        file,
        format!(
            "{what} takes more than {} MiB when decoded",
            DECODED_LIMIT >> 20
        ),
        "Make it smaller, or take it out of the folder",
    )
}

/// How the picture is to be turned; not at all if what says so is damaged.
fn orientation(decoder: &mut Box<dyn ImageDecoder + '_>) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// The picture over white.
fn opaque(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let mut over = RgbImage::new(image.width(), image.height());
    for (to, from) in over.pixels_mut().zip(image.pixels()) {
        let [colours @ .., alpha] = from.0;
        let alpha = u32::from(alpha);
        to.0 = colours.map(|c| ((u32::from(c) * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    over
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use image::{GrayImage, ImageBuffer, Luma, Rgb, Rgba, RgbaImage};
    use proptest::prelude::*;

    const FORMATS: [(ImageFormat, &str); 4] = [
        (ImageFormat::Png, "a.png"),
        (ImageFormat::Jpeg, "a.jpg"),
        (ImageFormat::WebP, "a.webp"),
        (ImageFormat::Bmp, "a.bmp"),
    ];

    pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Smooth, so that JPEG keeps it nearly.
    fn colours(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(200 * x / width) as u8, (200 * y / height) as u8, 100])
        })
    }

    fn decoded(name: &str, bytes: &[u8]) -> Picture {
        decode(Path::new(name), bytes, None).unwrap()
    }

    fn fault(name: &str, bytes: &[u8]) -> String {
        decode(Path::new(name), bytes, None)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_format_is_read() {
        let image = colours(12, 8);
        for (format, name) in FORMATS {
            let bytes = encoded(&image.clone().into(), format);
            let picture = decoded(name, &bytes);
            assert_eq!(
                (picture.height, picture.width, picture.is_grey()),
                (8, 12, false)
            );
            let exact = Picture::of(&image);
            let away = picture.planes.iter().zip(&exact.planes);
            let most = away.map(|(a, b)| a.abs_diff(*b)).max();
            let allowed = if format == ImageFormat::Jpeg { 24 } else { 0 };
            assert!(most <= Some(allowed), "{name}: {most:?}");
        }
    }

    #[test]
    fn grey_is_told_from_the_pixels() {
        let grey = GrayImage::from_fn(3, 2, |x, y| Luma([(10 * x + y) as u8]));
        let as_colour = DynamicImage::from(grey.clone()).into_rgb8();
        for image in [DynamicImage::from(grey), as_colour.into()] {
            let picture = decoded("a.png", &encoded(&image, ImageFormat::Png));
            assert_eq!(picture.planes, [0, 10, 20, 1, 11, 21]);
            assert_eq!(picture.into_planes(3)[6..8], [0, 10]);
        }
        let wide = ImageBuffer::<Luma<u16>, _>::from_fn(1, 1, |_, _| Luma([0x80ff]));
        let picture = decoded("a.png", &encoded(&wide.into(), ImageFormat::Png));
        assert_eq!(picture.planes, [128]);
    }

    #[test]
    fn colour_becomes_grey_by_its_brightness() {
        let image = RgbImage::from_fn(3, 1, |x, _| {
            Rgb([[255, 0, 0], [0, 255, 0], [9, 9, 9]][x as usize])
        });
        assert_eq!(Picture::of(&image).into_planes(1), [76, 150, 9]);
    }

    #[test]
    fn what_is_transparent_is_white() {
        let image = RgbaImage::from_fn(3, 1, |x, _| Rgba([0, 100, 200, [0, 255, 51][x as usize]]));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let picture = decoded("a", &encoded(&image.clone().into(), format));
            assert_eq!(picture.planes, [255, 0, 204, 255, 100, 224, 255, 200, 244]);
        }
    }

    #[test]
    fn the_middle_square_is_resized() {
        // Black, but for a white middle of 4 x 4.
        let image = GrayImage::from_fn(4, 10, |_, y| {
            Luma([if (3..7).contains(&y) { 255 } else { 0 }])
        });
        let bytes = encoded(&image.into(), ImageFormat::Png);
        let square = decode(Path::new("a.png"), &bytes, Some(2)).unwrap();
        assert_eq!(
            (square.height, square.width, square.planes),
            (2, 2, vec![255; 4])
        );
        // As the whole resized and then cut, away from the edge.
        let image = colours(60, 40);
        let bytes = encoded(&image.clone().into(), ImageFormat::Png);
        let square = decode(Path::new("a.png"), &bytes, Some(10)).unwrap();
        let whole = resize(&image, 15, 10, FilterType::Triangle);
        let cut = Picture::of(&crop_imm(&whole, 2, 0, 10, 10).to_image());
        for row in 0..10 {
            for column in 1..9 {
                let [a, b] = [&square, &cut].map(|p| p.planes[10 * row + column]);
                assert!(a.abs_diff(b) <= 8, "{row} {column}: {a} {b}");
            }
        }
    }

    #[test]
    fn pictures_lie_as_a_viewer_shows_them() {
        let jpeg = encoded(&colours(16, 8).into(), ImageFormat::Jpeg);
        // An EXIF segment that asks for a turn to the right.
        let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let mut turned = jpeg[..2].to_vec();
        turned.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
        turned.extend(exif);
        turned.extend(&jpeg[2..]);
        let picture = decoded("a.jpg", &turned);
        assert_eq!((picture.height, picture.width), (16, 8));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.jpg");
        std::fs::write(&file, turned).unwrap();
        assert_eq!(size(&file).unwrap(), (16, 8));
        assert_eq!(read(&file, None).unwrap(), picture);
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let remedy = "Replace it with a whole copy, or take it out of the folder";
        for (bytes, told) in [
            (&b""[..], "an empty file".to_owned()),
            (
                b"<!DOCTYPE html><html>",
                "not a PNG file although its name says so: it begins with '<!DOCTYPE html><'"
                    .into(),
            ),
            (
                b"GIF89a....",
                "not a PNG file although its name says so: it looks like GIF, which is not read"
                    .into(),
            ),
            (
                b"\0\x01\x02\x03\x04",
                "not a PNG file although its name says so: it begins with 0x00 0x01 0x02 0x03"
                    .into(),
            ),
        ] {
            assert_eq!(
                fault("cat/3.png", bytes),
                format!("cat/3.png: {told}. {remedy}")
            );
        }
        // What is read under another name is read.
        let jpeg = encoded(&colours(8, 8).into(), ImageFormat::Jpeg);
        assert_eq!(decoded("a.png", &jpeg), decoded("a.jpg", &jpeg));
    }

    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        // The header of a PNG of 65,000 x 65,000 pixels.
        let mut bytes = encoded(&colours(2, 2).into(), ImageFormat::Png);
        bytes[16..24].copy_from_slice(&[0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe8]);
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        assert_eq!(
            fault("a.png", &bytes),
            "a.png: its picture of 65000 x 65000 pixels takes more than 512 MiB when decoded. Make it smaller, or take it out \
             of the folder"
        );
        let mut bytes = encoded(&colours(2, 2).into(), ImageFormat::Bmp);
        bytes[18..26].copy_from_slice(&[0xe8, 0xfd, 0, 0, 0xe8, 0xfd, 0, 0]);
        assert!(fault("a.bmp", &bytes).contains("takes more than 512 MiB"));
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        for (format, name) in FORMATS {
            let bytes = encoded(&colours(20, 20).into(), format);
            // The last bytes of a PNG say that it ends, and no more.
            let least = if format == ImageFormat::Png { 13 } else { 1 };
            for length in 0..=bytes.len() - least {
                let text = decode(Path::new(name), &bytes[..length], None);
                let Err(text) = text.map_err(|error| error.to_string()) else {
                    panic!("{name} of {length} bytes of {}", bytes.len());
                };
                assert!(text.starts_with(name) && text.ends_with("folder"), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn damaged_bytes_give_an_answer(which in 0usize..4, flips in proptest::collection::vec((any::<usize>(), 1u8..), 1..6)) {
            let (format, name) = FORMATS[which];
            let mut bytes = encoded(&colours(9, 7).into(), format);
            for (at, flip) in flips {
                let length = bytes.len();
                bytes[at % length] ^= flip;
            }
            if let Ok(picture) = decode(Path::new(name), &bytes, None) {
                let pixels = picture.height * picture.width;
                prop_assert!([pixels, 3 * pixels].contains(&picture.planes.len()));
            }
        }

        #[test]
        fn any_bytes_give_an_answer(which in 0usize..4, tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (format, name) = FORMATS[which];
            let mut bytes = encoded(&colours(9, 7).into(), format);
            bytes.truncate(30);
            bytes.extend(tail);
            let _ = decode(Path::new(name), &bytes, Some(4));
        }
    }
}
