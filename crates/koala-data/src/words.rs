//! Texts as rows of words: Penn Treebank and WikiText-2 in their usual splits.
//!
//! T. Mikolov et al.: *Recurrent neural network based language model*, Interspeech 2010: the Penn Treebank's Wall Street
//! Journal, lower case, 10,000 words, the others `<unk>`.
//! S. Merity, C. Xiong, J. Bradbury, R. Socher: *Pointer Sentinel Mixture Models*, 2016, arXiv 1609.07843: WikiText-2.
//!
//! Words stand between white space, and each line, empty ones too, ends with `<eos>`: so the published numbers of tokens
//! and perplexities count.

use std::path::Path;

use super::encoding::plain_text;
use super::{Corpus, DataError, DatasetName, Vocabulary, place};

/// Size that no file comes near (WikiText-2's training part has 11 MB; WikiText-103's has 540 MB and fits).
const LIMIT: usize = 1 << 30;
pub(super) const END: &str = "<eos>";
pub(super) const UNKNOWN: &str = "<unk>";

/// Reads Penn Treebank (`ptb.train.txt`, `ptb.valid.txt`, `ptb.test.txt`) from `folder`, from the folder
/// `simple-examples/data` that the original archive makes in it, or from the places where it usually is.
///
/// # Errors
///
/// [`DataError`] if a file is missing, unreadable, empty or not UTF-8, or if a word of the validation or test part is
/// neither in the training part nor is there `<unk>` for it.
pub fn penn_treebank(folder: Option<&Path>) -> Result<Corpus, DataError> {
    read(
        DatasetName::Ptb,
        folder,
        ["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"],
    )
}

/// Reads WikiText-2 (`wiki.train.tokens`, `wiki.valid.tokens`, `wiki.test.tokens`) from `folder`, from the folder
/// `wikitext-2` that the original archive makes in it, or from the places where it usually is.
///
/// # Errors
///
/// [`DataError`] as [`penn_treebank`].
pub fn wikitext2(folder: Option<&Path>) -> Result<Corpus, DataError> {
    read(
        DatasetName::Wikitext2,
        folder,
        ["wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"],
    )
}

fn read(
    dataset: DatasetName,
    folder: Option<&Path>,
    [train, validation, test]: [&str; 3],
) -> Result<Corpus, DataError> {
    let folder = place::find(dataset, folder)?;
    let bytes = |name: &str| place::read(dataset, &folder, name, LIMIT);
    let mut vocabulary = Vocabulary::default();
    let train = {
        let path = folder.join(train);
        numbers(&path, &bytes(train)?, |word, _| Ok(vocabulary.add(word)))?
    };
    let known = |name: &str| {
        let path = folder.join(name);
        numbers(&path, &bytes(name)?, |word, line| {
            vocabulary
                .index(word)
                .or_else(|| vocabulary.index(UNKNOWN))
                .ok_or_else(|| {
                    DataError::format(
                        &path,
                        format!("words of the training part, which has no {UNKNOWN} for others"),
                        format!("'{}' in line {line}", shortened(word)),
                    )
                    .with_remedy(format!(
                        "Write {UNKNOWN} for such words, and at least once in the training part"
                    ))
                })
        })
    };
    let (validation, test) = (known(validation)?, known(test)?);
    Ok(Corpus {
        train,
        validation,
        test,
        vocabulary,
    })
}

/// The numbers of all words of a text; `number` is asked with the word and its line.
fn numbers(
    file: &Path,
    bytes: &[u8],
    mut number: impl FnMut(&str, usize) -> Result<u32, DataError>,
) -> Result<Vec<u32>, DataError> {
    let text = plain_text(file, bytes)?;
    let mut numbers = Vec::new();
    for (line, words) in text.lines().enumerate() {
        for word in words.split_whitespace().chain([END]) {
            numbers.push(number(word, line + 1)?);
        }
    }
    if numbers.len() < 2 {
        return Err(DataError::format(file, "some words", "none")
            .with_remedy("Get the file again, or put words into it if it is your own"));
    }
    Ok(numbers)
}

/// A word of a file that may not be text at all, short enough for a message.
fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use proptest::prelude::*;
    use std::fs;

    fn folder(parts: [&str; 3]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in ["train", "valid", "test"].iter().zip(parts) {
            fs::write(folder.path().join(format!("ptb.{name}.txt")), text).unwrap();
        }
        folder
    }

    fn words(corpus: &Corpus, part: &[u32]) -> String {
        let words: Vec<&str> = part.iter().map(|i| corpus.vocabulary.token(*i)).collect();
        words.join(" ")
    }

    #[test]
    fn words_are_numbered_as_they_appear_and_lines_end() {
        let folder = folder([" the cat <unk> \n\n the dog\n", "the bird\n", " a\n cat"]);
        let corpus = penn_treebank(Some(folder.path())).unwrap();
        assert_eq!(corpus.train, [0, 1, 2, 3, 3, 0, 4, 3]);
        assert_eq!(corpus.vocabulary.len(), 5);
        assert_eq!(words(&corpus, &corpus.validation), "the <unk> <eos>");
        assert_eq!(words(&corpus, &corpus.test), "<unk> <eos> cat <eos>");
    }

    #[test]
    fn a_word_that_nothing_stands_for_is_named() {
        let folder = folder(["the cat\n", "the cat\n", "the\nbird\n"]);
        let text = penn_treebank(Some(folder.path())).unwrap_err().to_string();
        assert!(
            text.contains("ptb.test.txt: expected words of the training part"),
            "{text}"
        );
        assert!(text.contains("found 'bird' in line 2"), "{text}");
    }

    #[test]
    fn faults_are_named() {
        let fault = |parts| {
            penn_treebank(Some(folder(parts).path()))
                .unwrap_err()
                .to_string()
        };
        assert!(
            fault(["", "a\n", "a\n"]).contains("ptb.train.txt: expected some words, found none")
        );
        assert!(fault(["a\n", "", "a\n"]).contains("ptb.valid.txt: expected some words"));
        let damaged = folder(["a\n", "a\n", "a\n"]);
        fs::write(damaged.path().join("ptb.valid.txt"), [0xff]).unwrap();
        let text = penn_treebank(Some(damaged.path())).unwrap_err().to_string();
        assert!(
            text.contains("ptb.valid.txt: expected UTF-8 text"),
            "{text}"
        );
        fs::remove_file(damaged.path().join("ptb.valid.txt")).unwrap();
        let text = penn_treebank(Some(damaged.path())).unwrap_err().to_string();
        assert!(text.starts_with("ptb: no ptb.valid.txt in"), "{text}");
    }

    #[test]
    fn the_folders_of_the_original_archives_do() {
        let around = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Wikitext2, around.path(), 30, 3).unwrap();
        let corpus = wikitext2(Some(around.path())).unwrap();
        let inner = around.path().join("wikitext-2");
        assert_eq!(wikitext2(Some(&inner)).unwrap(), corpus);
        let text = wikitext2(Some(Path::new("nowhere")))
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("wikitext2: no wiki.train.tokens in nowhere. "),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn every_number_is_below_the_vocabulary(train in "[ab\n ]{0,40}", other in "[abc\n ]{0,40}") {
            let folder = folder([&format!("<unk>\n{train}"), &format!("a\n{other}"), "b\n"]);
            let corpus = penn_treebank(Some(folder.path())).unwrap();
            let size = corpus.vocabulary.len() as u32;
            prop_assert!(corpus.train.iter().chain(&corpus.validation).chain(&corpus.test).all(|i| *i < size));
        }
    }
}
