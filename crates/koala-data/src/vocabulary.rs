//! The tokens of a text and their numbers.

use std::collections::HashMap;

/// Tokens, numbered from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<String>,
    indices: HashMap<String, u32>,
}

impl Vocabulary {
    /// Number of different tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token of this number; empty if there is none.
    pub fn token(&self, index: u32) -> &str {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.tokens.get(index))
            .map_or("", String::as_str)
    }

    /// All tokens in the order of their numbers.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The number of a token, if it is known.
    pub fn index(&self, token: &str) -> Option<u32> {
        self.indices.get(token).copied()
    }

    /// The number of a token, which is the next free one if it was not known.
    pub(super) fn add(&mut self, token: &str) -> u32 {
        if let Some(index) = self.index(token) {
            return index;
        }
        // Cannot saturate: no text that is read has so many tokens.
        let index = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.tokens.push(token.to_owned());
        self.indices.insert(token.to_owned(), index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tokens_belong_together() {
        let mut vocabulary = Vocabulary::default();
        assert!(vocabulary.is_empty());
        let numbers: Vec<u32> = ["b", "a", "b"].iter().map(|t| vocabulary.add(t)).collect();
        assert_eq!(numbers, [0, 1, 0]);
        assert_eq!((vocabulary.len(), vocabulary.token(1)), (2, "a"));
        assert_eq!(
            (vocabulary.index("b"), vocabulary.index("c")),
            (Some(0), None)
        );
        assert_eq!(vocabulary.token(2), "");
    }
}
