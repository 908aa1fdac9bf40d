//! A text as numbers.

use super::Vocabulary;

/// The parts of a text, each a row of token numbers below the size of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// What to train on.
    pub train: Vec<u32>,
    /// What to choose by.
    pub validation: Vec<u32>,
    /// What nothing is ever chosen by.
    pub test: Vec<u32>,
    /// The tokens.
    pub vocabulary: Vocabulary,
}
