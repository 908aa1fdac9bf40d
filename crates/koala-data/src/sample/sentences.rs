//! Sentences of a small grammar.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

const ARTICLES: [&str; 3] = ["the", "a", "every"];
const ADJECTIVES: [&str; 5] = ["old", "small", "grey", "sleepy", "<unk>"];
const ANIMALS: [&str; 6] = ["koala", "wombat", "emu", "parrot", "lizard", "dingo"];
const VERBS: [&str; 5] = ["sees", "follows", "hears", "finds", "leaves"];
const THINGS: [&str; 5] = ["tree", "river", "leaf", "path", "house"];
const ENDS: [&str; 3] = ["at night", "in the rain", "again"];

fn pick<'a>(generator: &mut ChaCha8Rng, words: &[&'a str]) -> &'a str {
    let at = generator.next_u32() as usize % words.len().max(1);
    words.get(at).copied().unwrap_or_default()
}

/// One sentence, its words between single spaces.
pub(super) fn sentence(generator: &mut ChaCha8Rng) -> String {
    let mut words = vec![pick(generator, &ARTICLES)];
    if generator.next_u32().is_multiple_of(2) {
        words.push(pick(generator, &ADJECTIVES));
    }
    words.push(pick(generator, &ANIMALS));
    words.push(pick(generator, &VERBS));
    words.push(pick(generator, &ARTICLES));
    words.push(pick(generator, &THINGS));
    if generator.next_u32().is_multiple_of(3) {
        words.push(pick(generator, &ENDS));
    }
    words.join(" ")
}

/// Sentences, one a line, each between spaces as in the files of Penn Treebank and WikiText. The first has `<unk>`.
pub(super) fn lines(generator: &mut ChaCha8Rng, count: usize) -> String {
    let mut text = " the <unk> koala sees a tree \n".to_owned();
    for _ in 1..count {
        text += &format!(" {} \n", sentence(generator));
    }
    text
}
