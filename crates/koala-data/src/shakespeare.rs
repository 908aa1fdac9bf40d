//! Tiny Shakespeare as a row of words, for word-level models without a download.
//!
//! Letters are made small, as in the Penn Treebank. A word is a run of letters, digits, apostrophes and hyphens; any other
//! mark that is no white space is a token by itself, and each line, empty ones too, ends with `<eos>`. The vocabulary are the
//! 5,000 commonest tokens of the training part; the others are `<unk>`, about one in thirty there.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::words::{END, UNKNOWN};
use super::{Corpus, DataError, Vocabulary, characters};

/// Tokens of the vocabulary, `<unk>` among them.
const VOCABULARY: usize = 5000;
/// So many tokens leave two in each part.
const SHORTEST: usize = 40;

/// The embedded tiny Shakespeare by words: the first 90 % of its tokens to train on, the next 5 % for validation, the last
/// 5 % to test on. The vocabulary is numbered as it appears in the training part, after `<unk>`.
///
/// # Errors
///
/// [`DataError::Format`] if the program's own copy is damaged.
pub fn tiny_shakespeare_words() -> Result<Corpus, DataError> {
    let name = Path::new(characters::NAME);
    parse(name, &characters::embedded()?, VOCABULARY)
}

/// The words of a text, of which the `most` commonest have numbers.
fn parse(file: &Path, bytes: &[u8], most: usize) -> Result<Corpus, DataError> {
    let text = str::from_utf8(bytes)
        .map_err(|e| DataError::format(file, "UTF-8 text", format!("other bytes ({e})")))?;
    let text = text.to_lowercase();
    let mut words: Vec<&str> = Vec::new();
    for line in text.lines() {
        words.extend(tokens(line));
        words.push(END);
    }
    let count = words.len();
    if count < SHORTEST {
        let expected = format!("at least {SHORTEST} words and ends of lines");
        return Err(DataError::format(file, expected, count.to_string()));
    }
    let (train, others) = words.split_at(count * 9 / 10);
    let (validation, test) = others.split_at(count / 20);
    let vocabulary = commonest(train, most);
    let unknown = vocabulary.index(UNKNOWN).unwrap_or_default();
    let numbers = |words: &[&str]| {
        let number = |word: &&str| vocabulary.index(word).unwrap_or(unknown);
        words.iter().map(number).collect()
    };
    Ok(Corpus {
        train: numbers(train),
        validation: numbers(validation),
        test: numbers(test),
        vocabulary,
    })
}

/// Words and marks of a line.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if within(first) {
            rest.find(|c| !within(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// Whether a character is part of words.
fn within(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '\'' | '-')
}

/// `<unk>` and the commonest other words, as they appear; of equally common ones, those that appear first.
fn commonest(words: &[&str], most: usize) -> Vocabulary {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut first = Vec::new();
    for word in words {
        let count = counts.entry(word).or_default();
        if *count == 0 {
            first.push(*word);
        }
        *count += 1;
    }
    let mut ranked = first.clone();
    // Stable: equally common ones stay as they appear.
    ranked.sort_by_key(|word| std::cmp::Reverse(counts.get(word).copied()));
    let kept: HashSet<&str> = ranked.into_iter().take(most.saturating_sub(1)).collect();
    let mut vocabulary = Vocabulary::default();
    vocabulary.add(UNKNOWN);
    for word in first.into_iter().filter(|word| kept.contains(word)) {
        vocabulary.add(word);
    }
    vocabulary
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(corpus: &Corpus, part: &[u32]) -> String {
        let words: Vec<&str> = part.iter().map(|i| corpus.vocabulary.token(*i)).collect();
        words.join(" ")
    }

    /// Counted with Python's `re.findall(r"[a-z0-9'\-]+|[^\sa-z0-9'\-]", line.lower())` and `collections.Counter`.
    #[test]
    fn tiny_shakespeare_is_whole() {
        let corpus = tiny_shakespeare_words().unwrap();
        let Corpus {
            train,
            validation,
            test,
            vocabulary,
        } = &corpus;
        assert_eq!(vocabulary.len(), 5000);
        assert_eq!(
            (train.len(), validation.len(), test.len()),
            (260_496, 14_472, 14_472)
        );
        let start = "first citizen : <eos> before we proceed any further , hear me speak . <eos> <eos> all :";
        assert!(written(&corpus, &train[..40]).starts_with(start));
        assert!(written(&corpus, test).ends_with("whiles thou art waking . <eos>"));
        let unknown = |part: &[u32]| {
            let count = part.iter().filter(|i| **i == 0).count();
            count as f64 / part.len() as f64
        };
        assert!((unknown(train) - 0.0348).abs() < 1e-4, "{}", unknown(train));
        assert!(unknown(test) < 0.09);
    }

    #[test]
    fn marks_are_tokens_and_apostrophes_are_not() {
        let found: Vec<&str> = tokens("  'tis well-met,my lord!--o ß\u{1f428}").collect();
        let expected = [
            "'tis",
            "well-met",
            ",",
            "my",
            "lord",
            "!",
            "--o",
            "ß",
            "\u{1f428}",
        ];
        assert_eq!(found, expected);
        assert_eq!(tokens(" \t").count(), 0);
    }

    #[test]
    fn rare_words_have_no_number() {
        let text = "b a b c a b\n".repeat(10) + "d d d";
        let corpus = parse(Path::new("a"), text.as_bytes(), 4).unwrap();
        let all: Vec<&str> = (0..4).map(|i| corpus.vocabulary.token(i)).collect();
        assert_eq!(all, ["<unk>", "b", "a", "c"]);
        assert_eq!(written(&corpus, &corpus.train[..7]), "b a b c a b <unk>");
        let none = parse(Path::new("a"), text.as_bytes(), 0).unwrap();
        assert_eq!(none.vocabulary.len(), 1);
    }

    #[test]
    fn faults_are_named() {
        let fault = |bytes: &[u8]| parse(Path::new("a.txt"), bytes, 9).unwrap_err().to_string();
        let text = fault(b"short");
        assert!(
            text.starts_with("a.txt: expected at least 40 words and ends of lines, found 2."),
            "{text}"
        );
        assert!(fault(&[b'a', 0xff]).starts_with("a.txt: expected UTF-8 text, found other bytes"));
    }

    proptest! {
        #[test]
        fn every_number_is_below_the_vocabulary(text in "([aB'é,\u{1f428} \n]{0,9}\n){40}", most in 0usize..9) {
            let corpus = parse(Path::new("a"), text.as_bytes(), most).unwrap();
            let size = corpus.vocabulary.len();
            prop_assert!(size <= most.max(1));
            let parts = [&corpus.train, &corpus.validation, &corpus.test];
            prop_assert!(parts.iter().all(|part| part.len() >= 2));
            prop_assert!(parts.into_iter().flatten().all(|i| (*i as usize) < size));
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(Path::new("a"), &bytes, 5);
        }
    }
}
