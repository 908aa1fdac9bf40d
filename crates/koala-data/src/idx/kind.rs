//! What the values of an IDX file are, and how those that are taken are made of the others.

use std::path::Path;

use koala_system::quoted;

use crate::DataError;

/// What each value of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::U8,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::F32,
        Self::F64,
    ];

    /// The third byte of the magic number.
    const fn code(self) -> u8 {
        match self {
            Self::U8 => 0x08,
            Self::I8 => 0x09,
            Self::I16 => 0x0b,
            Self::I32 => 0x0c,
            Self::F32 => 0x0d,
            Self::F64 => 0x0e,
        }
    }

    /// Bytes of a value.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::U8 => "unsigned bytes",
            Self::I8 => "signed bytes",
            Self::I16 => "16-bit integers",
            Self::I32 => "32-bit integers",
            Self::F32 => "32-bit floats",
            Self::F64 => "64-bit floats",
        }
    }

    /// As NumPy calls it.
    const fn numpy(self) -> &'static str {
        match self {
            Self::U8 => "u1",
            Self::I8 => "i1",
            Self::I16 => ">i2",
            Self::I32 => ">i4",
            Self::F32 => ">f4",
            Self::F64 => ">f8",
        }
    }

    const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// What a magic number says: the kind, and how many dimensions.
    pub(super) fn of(magic: u32) -> Option<(Self, usize)> {
        let [0, 0, code, dimensions] = magic.to_be_bytes() else {
            return None;
        };
        let kind = Self::ALL.into_iter().find(|kind| kind.code() == code)?;
        Some((kind, usize::from(dimensions)))
    }

    /// The values in these bytes, of a kind that is of integers.
    pub(super) fn integers(self, bytes: &[u8]) -> impl Iterator<Item = i64> {
        bytes
            .chunks_exact(self.size())
            .map(move |value| match (self, value) {
                (Self::I8, [byte]) => i64::from(byte.cast_signed()),
                (_, [byte]) => i64::from(*byte),
                (_, [a, b]) => i64::from(i16::from_be_bytes([*a, *b])),
                (_, [a, b, c, d]) => i64::from(i32::from_be_bytes([*a, *b, *c, *d])),
                // No integer has as many bytes.
                _ => -1,
            })
    }
}

/// Kinds in words.
pub(super) fn told(kinds: &[Kind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.words()).collect();
    words.join(" or ")
}

/// The fault of a file of another kind, or of none: what is there, what was expected of `what`, and how that is made of it.
pub(super) fn other(
    file: &Path,
    what: &str,
    (taken, dimensions): (&[Kind], usize),
    magic: u32,
) -> DataError {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let fault = |found: String| {
        let expected = format!(
            "IDX {what}, {} in {dimensions} dimension{}",
            told(taken),
            plural(dimensions)
        );
        DataError::format(file, expected, found)
    };
    if let Some((kind, count)) = Kind::of(magic) {
        let found = format!("{} in {count} dimension{}", kind.words(), plural(count));
        return fault(found).with_remedy(remedy(file, (kind, count), dimensions));
    }
    if Kind::of(magic.swap_bytes()).is_some() {
        return fault(format!("{magic:#010x}, a magic number backwards")).with_remedy(
            "Write the numbers of the header, and values of more than a byte, with the highest byte first (big-endian)",
        );
    }
    if let [0x1f, 0x8b, ..] = magic.to_be_bytes() {
        return fault("gzip data".to_owned()).with_remedy(if is_packed(file) {
            "Unpack it once: it was packed twice"
        } else {
            "Give it a name that ends with .gz, or unpack it"
        });
    }
    fault(format!("{magic:#010x}, which is no magic number of IDX"))
}

/// What makes values in `wanted` dimensions, 3 of pictures or 1 of labels, of those in a file.
fn remedy(file: &Path, (kind, dimensions): (Kind, usize), wanted: usize) -> String {
    match (wanted, dimensions) {
        (3, 3) => {
            let (range, scaled) = match kind.is_float() {
                true => ("from 0 to 1", "(255 * v)"),
                false => ("from 0 to 255", "v"),
            };
            let bytes = format!("{scaled}.round().clip(0, 255).astype('u1')");
            format!(
                "Write the pixels as unsigned bytes: where they are {range}, {} does; then give the new file the name of the old one",
                command(file, kind, (wanted, Kind::U8), &bytes)
            )
        }
        (1, 1) => format!(
            "Write the labels as integers: {} does; then give the new file the name of the old one",
            command(file, kind, (wanted, Kind::I32), "v.round().astype('>i4')")
        ),
        (3, 1) => "It may be a file of labels: look which is which".to_owned(),
        (1, 3) => "It may be a file of pictures: look which is which".to_owned(),
        (3, 4) => "Pictures in colours are read from PNG files in a folder for each class, with --dataset images".to_owned(),
        (1, 2) => "Write one label a sample: of one-hot rows, the place of the 1".to_owned(),
        _ => "Write the file anew: count, height and width of pictures, or the count of labels alone, and the values after it"
            .to_owned(),
    }
}

/// A command that writes a file with the same sizes and other values: `expression` of the old ones, `v`.
fn command(file: &Path, from: Kind, (dimensions, to): (usize, Kind), expression: &str) -> String {
    let header = 4 + 4 * dimensions;
    let (import, open) = if is_packed(file) {
        ("gzip, ", "gzip.open")
    } else {
        ("", "open")
    };
    let mut new = file.as_os_str().to_owned();
    new.push("-new");
    format!(
        "`python3 -c \"import {import}numpy, sys; b = {open}(sys.argv[1], 'rb').read(); \
         v = numpy.frombuffer(b, '{}', offset={header}); \
         {open}(sys.argv[2], 'wb').write(bytes([0, 0, {}, {dimensions}]) + b[4:{header}] + {expression}.tobytes())\" {} {}`",
        from.numpy(),
        to.code(),
        quoted(file),
        quoted(Path::new(&new))
    )
}

fn is_packed(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "gz")
}
