//! Texts as rows of characters: any plain text file, and the embedded tiny Shakespeare.
//!
//! Tiny Shakespeare: 1,115,394 characters of Shakespeare's plays, put together by A. Karpathy, *The Unreasonable
//! Effectiveness of Recurrent Neural Networks*, 2015; the plays are in the public domain.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::encoding::{code_point, is_mark, plain_text};
use super::{Corpus, DataError, DatasetName, Vocabulary, Warning, inflate, place};

const PACKED: &[u8] = include_bytes!("../assets/tinyshakespeare.txt.gz");
pub(super) const NAME: &str = "tinyshakespeare.txt.gz (embedded)";
/// Longest text that is read, in bytes.
const LIMIT: usize = 1 << 30;
/// So many characters leave two in each part.
const SHORTEST: usize = 40;

/// The embedded tiny Shakespeare, by characters, split as [`text`] splits.
///
/// # Errors
///
/// [`DataError::Format`] if the program's own copy is damaged.
pub fn tiny_shakespeare() -> Result<Corpus, DataError> {
    parse(Path::new(NAME), &embedded()?)
}

/// The embedded text.
pub(super) fn embedded() -> Result<Vec<u8>, DataError> {
    inflate(Path::new(NAME), PACKED, 1 << 21)
}

/// Reads any UTF-8 text file by characters: the first 90 % to train on, the next 5 % for validation, the last 5 % to test
/// on. The vocabulary is all characters of the whole text, in the order of their code points.
///
/// # Errors
///
/// [`DataError`] if the file is missing, unreadable, empty, longer than 1 GiB, not UTF-8, has NUL bytes, or is shorter than
/// 40 characters.
pub fn text(file: Option<&Path>) -> Result<Corpus, DataError> {
    read_text(file).map(|(corpus, _)| corpus)
}

/// What a text became: rows of numbers, which are places in this list. To be stored with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPreparation {
    /// The characters that it has, in the order of their numbers.
    pub characters: Vec<String>,
}

/// What was taken of a text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TextReport {
    /// Bytes of the file.
    pub bytes: usize,
    /// Characters, which are code points.
    pub characters: usize,
    /// Different ones.
    pub vocabulary: usize,
    /// Lines.
    pub lines: usize,
    /// Always `UTF-8`: nothing else is taken.
    pub encoding: String,
    /// Whether the file begins with a byte order mark, which is one of the characters.
    pub byte_order_mark: bool,
}

impl fmt::Display for TextReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            characters,
            vocabulary,
            lines,
            encoding,
            ..
        } = self;
        write!(
            f,
            "{characters} characters in {lines} lines, {vocabulary} different ones, read as {encoding}"
        )?;
        if self.byte_order_mark {
            f.write_str(" with a byte order mark, which is one of them")?;
        }
        Ok(())
    }
}

/// As [`text`], and what was taken of the file.
///
/// # Errors
///
/// [`DataError`] as [`text`]; what is not UTF-8 is told with the encoding it looks like.
pub fn read_text(file: Option<&Path>) -> Result<(Corpus, TextReport), DataError> {
    let path = DatasetName::Text.given(file)?;
    let open = File::open(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            place::missing(DatasetName::Text, &name.to_string_lossy(), vec![folder])
        }
        _ => DataError::Unreadable {
            file: path.to_owned(),
            cause,
        },
    })?;
    let bytes = place::read_open(path, open, LIMIT).map_err(|error| {
        error.with_remedy("Give a part of it: `head -c 1G` writes the first that fits")
    })?;
    let corpus = parse(path, &bytes)?;
    let report = TextReport {
        bytes: bytes.len(),
        characters: corpus.train.len() + corpus.validation.len() + corpus.test.len(),
        vocabulary: corpus.vocabulary.len(),
        lines: str::from_utf8(&bytes).map_or(0, |text| text.lines().count()),
        encoding: "UTF-8".to_owned(),
        byte_order_mark: bytes.starts_with(b"\xef\xbb\xbf"),
    };
    Ok((corpus, report))
}

/// What is worth knowing of the characters of a text.
pub(super) fn warnings(corpus: &Corpus) -> Vec<Warning> {
    let letter = |number: u32| corpus.vocabulary.token(number).chars().next();
    let marks: Vec<Option<char>> = (0..corpus.vocabulary.len() as u32)
        .map(|number| letter(number).filter(|letter| is_mark(*letter)))
        .collect();
    let is_marked = |number: &&u32| marks.get(**number as usize).is_some_and(Option::is_some);
    let mut warnings = Vec::new();
    if corpus.train.first().and_then(|first| letter(*first)) == Some('\u{feff}') {
        warnings.push(Warning::ByteOrderMark);
    }
    if marks.iter().any(Option::is_some) {
        warnings.push(Warning::ControlCharacters {
            characters: marks.iter().flatten().copied().map(code_point).collect(),
            count: [&corpus.train, &corpus.validation, &corpus.test]
                .into_iter()
                .flatten()
                .filter(is_marked)
                .count(),
        });
    }
    warnings
}

fn parse(file: &Path, bytes: &[u8]) -> Result<Corpus, DataError> {
    if bytes.is_empty() {
        return Err(DataError::own(
            file,
            "it is empty",
            "Name a file with text in it; perhaps what should have written this one has failed",
        ));
    }
    let text = plain_text(file, bytes)?;
    let characters: BTreeSet<char> = text.chars().collect();
    let mut vocabulary = Vocabulary::default();
    for character in characters {
        vocabulary.add(character.encode_utf8(&mut [0; 4]));
    }
    let mut train: Vec<u32> = text
        .chars()
        .filter_map(|c| vocabulary.index(c.encode_utf8(&mut [0; 4])))
        .collect();
    let count = train.len();
    if count < SHORTEST {
        return Err(DataError::format(
            file,
            format!("at least {SHORTEST} characters"),
            count.to_string(),
        )
        .with_remedy("Give a longer text: a network learns little from less than 100,000"));
    }
    let mut validation = train.split_off(count * 9 / 10);
    let test = validation.split_off(count / 20);
    Ok(Corpus {
        train,
        validation,
        test,
        vocabulary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(corpus: &Corpus) -> String {
        let Corpus {
            train,
            validation,
            test,
            vocabulary,
        } = corpus;
        let all = train.iter().chain(validation).chain(test);
        all.map(|i| vocabulary.token(*i)).collect()
    }

    #[test]
    fn tiny_shakespeare_is_whole() {
        let corpus = tiny_shakespeare().unwrap();
        assert_eq!(corpus.vocabulary.len(), 65);
        assert_eq!(
            (
                corpus.train.len(),
                corpus.validation.len(),
                corpus.test.len()
            ),
            (1_003_854, 55_769, 55_771)
        );
        let text = written(&corpus);
        assert!(text.starts_with("First Citizen:\nBefore we proceed any further, hear me speak."));
        assert!(text.ends_with("Whiles thou art waking.\n"));
    }

    #[test]
    fn faults_are_named() {
        let fault = |bytes: &[u8]| parse(Path::new("a.txt"), bytes).unwrap_err().to_string();
        assert!(fault(b"short").starts_with("a.txt: expected at least 40 characters, found 5."));
        assert!(fault(&[b'a', 0xff]).starts_with("a.txt: expected UTF-8 text, found other bytes"));
        let text = text(Some(Path::new("nowhere/a.txt")))
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "text: no a.txt in nowhere. Name a plain UTF-8 text file with --file"
        );
        let text = super::text(None).unwrap_err().to_string();
        assert_eq!(
            text,
            "text: no file given. Name a plain UTF-8 text file with --file"
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            super::text(Some(folder.path())),
            Err(DataError::Unreadable { .. })
        ));
    }

    #[test]
    fn advice_fits_a_text_of_ones_own() {
        let fault = |bytes: &[u8]| parse(Path::new("a.txt"), bytes).unwrap_err().to_string();
        assert_eq!(
            fault(b""),
            "a.txt: it is empty. Name a file with text in it; perhaps what should have written \
             this one has failed"
        );
        for bytes in [&b""[..], b"short", b"caf\xe9", b"a\0b"] {
            let text = fault(bytes);
            assert!(!text.contains("original"), "{text}");
        }
        assert!(fault(b"Gr\xfc\xdfe").contains("Latin-1: `iconv -f latin1 -t utf-8 a.txt"));
        assert!(fault(&[b"koala\0", &[b'a'; 50][..]].concat()).contains("a NUL byte at byte 6"));
    }

    #[test]
    fn it_says_what_it_took() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, "äb\n".repeat(20)).unwrap();
        let (corpus, report) = read_text(Some(&file)).unwrap();
        assert_eq!(
            report.to_string(),
            "60 characters in 20 lines, 3 different ones, read as UTF-8"
        );
        assert_eq!((report.bytes, report.byte_order_mark), (80, false));
        assert_eq!(text(Some(&file)).unwrap(), corpus);
        std::fs::write(&file, "\u{feff}b\n".repeat(20)).unwrap();
        let (_, report) = read_text(Some(&file)).unwrap();
        assert!(
            report
                .to_string()
                .ends_with("with a byte order mark, which is one of them")
        );
    }

    #[test]
    fn characters_that_are_not_seen_are_told() {
        let told = |text: &str| {
            let corpus = parse(Path::new("a"), text.as_bytes()).unwrap();
            warnings(&corpus)
        };
        let plain = "eucalyptus\r\n\tand\u{c}leaves ".repeat(20);
        assert_eq!(told(&plain), []);
        let marked = format!("\u{feff}{plain}\u{1b}[1mkoala\u{1b}[0m\u{7f}\u{9b}");
        let all = told(&marked);
        assert_eq!(
            all,
            [
                Warning::ByteOrderMark,
                Warning::ControlCharacters {
                    characters: vec![
                        "U+001B".to_owned(),
                        "U+007F".to_owned(),
                        "U+009B".to_owned()
                    ],
                    count: 4,
                }
            ]
        );
        assert!(
            all[1]
                .to_string()
                .starts_with("the text has 4 control characters ('U+001B', 'U+007F', 'U+009B'), learned as others are: `perl ")
        );
    }

    proptest! {
        #[test]
        fn every_character_is_in_one_part(text in "[a-zäß\u{1f428}\n ]{40,300}") {
            let corpus = parse(Path::new("a"), text.as_bytes()).unwrap();
            prop_assert_eq!(written(&corpus), text.as_str());
            let count = text.chars().count();
            prop_assert_eq!(corpus.train.len(), count * 9 / 10);
            prop_assert_eq!(corpus.validation.len(), count / 20);
            prop_assert!(corpus.test.len() >= 2);
            let tokens: Vec<&str> = (0..corpus.vocabulary.len() as u32).map(|i| corpus.vocabulary.token(i)).collect();
            prop_assert!(tokens.is_sorted());
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(Path::new("a"), &bytes);
        }
    }
}
