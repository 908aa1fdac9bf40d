//! Whether bytes are plain text in UTF-8, and what mends those that are not.

use std::path::Path;

use koala_system::quoted;

use super::DataError;

/// First bytes of what is often taken for text, what it is, and how text comes out of it.
const NO_TEXT: [(&[u8], &str, &str); 6] = [
    (
        b"PK\x03\x04",
        "a zip archive, as spreadsheets and Word documents are",
        "Unpack it, or save the document as plain text or the spreadsheet as CSV",
    ),
    (b"\x1f\x8b", "gzip data", "Unpack it with `gunzip`"),
    (
        b"%PDF",
        "a PDF document",
        "Take its text out with `pdftotext`",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Office document",
        "Save it as plain text or as CSV",
    ),
    (b"\x89PNG", "a PNG picture", "Name a file of plain text"),
    (
        b"\xff\xd8\xff",
        "a JPEG picture",
        "Name a file of plain text",
    ),
];

/// Perl that takes control characters out of a text, a terminal's sequences whole.
pub(super) const WITHOUT_CONTROLS: &str =
    r"perl -CSD -pe 's/\e(\[[0-?]*[ -\/]*[@-~]|\].*?(\a|\e\\))//g; s/(?!\s)\p{Cc}//g'";

/// What has more control characters than one in so many is no text.
const MARKED: usize = 20;

/// Bytes that an encoding is guessed from.
const LOOKED_AT: usize = 1 << 16;

/// The text of a file.
///
/// # Errors
///
/// [`DataError::Format`] if it is not UTF-8 or has NUL bytes, with the likely encoding and the command that makes UTF-8
/// of it; or if more than a twentieth of it are control characters.
pub(super) fn plain_text<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, DataError> {
    if let Some((_, what, remedy)) = NO_TEXT.iter().find(|(first, ..)| bytes.starts_with(first)) {
        return Err(DataError::format(file, "plain text", *what).with_remedy(*remedy));
    }
    if let Some(encoding) = wide(bytes) {
        return Err(
            DataError::format(file, "UTF-8 text", "UTF-16").with_remedy(convert(file, encoding))
        );
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let found = format!("a NUL byte at byte {}, which no text has", at + 1);
        return Err(DataError::format(file, "plain text", found).with_remedy(
            "Name a file of plain text; a document has to be saved as plain text first",
        ));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        DataError::format(file, "UTF-8 text", format!("other bytes ({error})"))
            .with_remedy(otherwise(file, bytes))
    })?;
    let marks = || text.char_indices().filter(|(_, letter)| is_mark(*letter));
    let (count, letters) = (marks().count(), text.chars().count());
    match marks().next() {
        Some((at, first)) if count > letters / MARKED => {
            let found = format!(
                "{count} control characters among {letters}, the first {} at byte {}",
                code_point(first),
                at + 1
            );
            let remedy = format!(
                "Name a file of plain text; of what a terminal wrote, `{WITHOUT_CONTROLS} {} > {}` makes such a file",
                quoted(file),
                anew(file, "-plain")
            );
            Err(DataError::format(file, "plain text", found).with_remedy(remedy))
        }
        _ => Ok(text),
    }
}

/// Whether a character is one that texts do without: it controls something, and is no white space.
pub(super) fn is_mark(letter: char) -> bool {
    letter.is_control() && !letter.is_whitespace()
}

/// A character's number, as Unicode writes it.
pub(super) fn code_point(letter: char) -> String {
    format!("U+{:04X}", u32::from(letter))
}

/// UTF-16, told by its mark or by every other byte being NUL, as `iconv` calls it.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("utf-16");
    }
    let looked_at = &bytes[..bytes.len().min(LOOKED_AT) & !1];
    let pairs = looked_at.len() / 2;
    let zeros = |at: usize| {
        looked_at
            .iter()
            .skip(at)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    match (zeros(0), zeros(1)) {
        _ if pairs < 4 => None,
        (0, odd) if odd > pairs / 2 => Some("utf-16le"),
        (even, 0) if even > pairs / 2 => Some("utf-16be"),
        _ => None,
    }
}

/// What to do with bytes that are not UTF-8.
fn otherwise(file: &Path, bytes: &[u8]) -> String {
    let looked_at = &bytes[..bytes.len().min(LOOKED_AT)];
    let marks = looked_at
        .iter()
        .filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace());
    if marks.count() > looked_at.len() / MARKED {
        return "It has too many control characters to be text: name a file of plain text"
            .to_owned();
    }
    let (mut wide, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        wide += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if wide > broken {
        return format!(
            "It is UTF-8 but for {broken} damaged {}: {} leaves those out",
            if broken == 1 { "place" } else { "places" },
            command(file, "-c -f utf-8")
        );
    }
    // Where Latin-1 has control characters, Windows-1252 has dashes and curved quotation marks.
    let windows = bytes.iter().any(|byte| (0x80..0xa0).contains(byte));
    convert(file, if windows { "windows-1252" } else { "latin1" })
}

/// Which encoding it looks like, and the command that makes UTF-8 of it.
fn convert(file: &Path, encoding: &str) -> String {
    let name = match encoding {
        "latin1" => "Latin-1",
        "windows-1252" => "Windows-1252",
        _ => "UTF-16",
    };
    format!(
        "It looks like {name}: {} makes UTF-8 of it; then name the new file",
        command(file, &format!("-f {encoding}"))
    )
}

fn command(file: &Path, from: &str) -> String {
    format!(
        "`iconv {from} -t utf-8 {} > {}`",
        quoted(file),
        anew(file, "-utf8")
    )
}

/// A file beside another, of its name with something behind it.
fn anew(file: &Path, behind: &str) -> String {
    let mut new = file.file_stem().unwrap_or_default().to_owned();
    new.push(behind);
    if let Some(ending) = file.extension() {
        new.push(".");
        new.push(ending);
    }
    quoted(&file.with_file_name(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(name: &str, bytes: &[u8]) -> String {
        plain_text(Path::new(name), bytes).unwrap_err().to_string()
    }

    #[test]
    fn latin_1_is_told_with_its_command() {
        let text = fault("my notes.txt", b"Gr\xfc\xdfe aus K\xf6ln");
        assert_eq!(
            text,
            "my notes.txt: expected UTF-8 text, found other bytes (invalid utf-8 sequence of 1 bytes from index 2). \
             It looks like Latin-1: `iconv -f latin1 -t utf-8 'my notes.txt' > 'my notes-utf8.txt'` makes UTF-8 of it; \
             then name the new file"
        );
        let text = fault("a.txt", b"\x93quoted\x94 caf\xe9");
        assert!(
            text.contains("`iconv -f windows-1252 -t utf-8 a.txt > a-utf8.txt`"),
            "{text}"
        );
    }

    #[test]
    fn utf_16_is_told_with_and_without_a_mark() {
        let little: Vec<u8> = "koala and wombat"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = "koala and wombat"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert!(fault("a", &little).contains("iconv -f utf-16le -t utf-8 a > a-utf8"));
        assert!(fault("a", &big).contains("iconv -f utf-16be "));
        assert!(
            fault("a", &[b"\xff\xfe", little.as_slice()].concat()).contains("iconv -f utf-16 ")
        );
    }

    #[test]
    fn what_is_plainly_no_text_is_refused() {
        assert_eq!(
            fault("a.bin", b"ab\0cd"),
            "a.bin: expected plain text, found a NUL byte at byte 3, which no text has. Name a file of plain text; a document \
             has to be saved as plain text first"
        );
        let text = fault("a.docx", b"PK\x03\x04\x14\0");
        assert!(
            text.contains("found a zip archive") && text.contains("as CSV"),
            "{text}"
        );
        let noise: Vec<u8> = (1..=255).collect();
        assert!(fault("a", &noise).contains("too many control characters"));
    }

    #[test]
    fn control_characters_are_taken_if_they_are_few() {
        let few = format!("{}\u{1b}[1mkoala\u{9b}0m\u{c}", "eucalyptus ".repeat(9));
        assert_eq!(plain_text(Path::new("a"), few.as_bytes()).unwrap(), few);
        let text = fault(
            "my log.txt",
            "\u{1b}[31mkoala\u{1b}[0m\n".repeat(9).as_bytes(),
        );
        assert_eq!(
            text,
            "my log.txt: expected plain text, found 18 control characters among 135, the first U+001B at byte 1. Name a file of \
             plain text; of what a terminal wrote, `perl -CSD -pe 's/\\e(\\[[0-?]*[ -\\/]*[@-~]|\\].*?(\\a|\\e\\\\))//g; \
             s/(?!\\s)\\p{Cc}//g' 'my log.txt' > 'my log-plain.txt'` makes such a file"
        );
        let bytes: String = (1u8..128).map(char::from).collect();
        assert!(fault("a", bytes.as_bytes()).contains("found 27 control characters among 127"));
    }

    #[test]
    fn utf_8_that_is_cut_stays_utf_8() {
        let whole = "Grüße aus Köln, äöü".as_bytes();
        let text = fault("a.txt", &whole[..whole.len() - 1]);
        assert!(
            text.ends_with("UTF-8 but for 1 damaged place: `iconv -c -f utf-8 -t utf-8 a.txt > a-utf8.txt` leaves those out"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = plain_text(Path::new("a"), &bytes) {
                prop_assert_eq!(text.as_bytes(), bytes.as_slice());
            }
        }

        #[test]
        fn text_stays_as_it_is(text in "[\\PC\n\t\r\u{c}\u{85}]{0,60}") {
            prop_assume!(!["PK\u{3}\u{4}", "%PDF"].iter().any(|no| text.starts_with(no)));
            prop_assert_eq!(plain_text(Path::new("a"), text.as_bytes()).unwrap(), text.as_str());
        }
    }
}
