//! A batch in blocks of texts, each of which goes through the whole window by itself: threads meet once a window.

use std::ops::Range;

/// Texts of a block at most: with as many, a product of theirs and the weights is as fast as a larger one.
const TEXTS: usize = 16;
/// From so many texts on there are two blocks at least.
const SHARED: usize = 8;

/// Texts that lie one after the other in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub start: usize,
    pub texts: usize,
}

impl Block {
    /// Where its elements of `width` a text lie in those of the batch at the given time.
    pub fn range(&self, time: usize, batch: usize, width: usize) -> Range<usize> {
        let start = (time * batch + self.start) * width;
        start..start + self.texts * width
    }
}

/// The blocks of a batch: as even as can be, a function of the batch alone.
pub(super) fn blocks(batch: usize) -> Vec<Block> {
    let least = if batch < SHARED { 1 } else { 2 };
    let count = batch.div_ceil(TEXTS).max(least);
    let start = |n: usize| n * batch / count;
    let block = |n| Block {
        start: start(n),
        texts: start(n + 1) - start(n),
    };
    (0..count).map(block).collect()
}

/// `values`, `[time, batch, width]`, by block and time.
pub(super) fn by_block<'a>(
    values: &'a mut [f32],
    blocks: &[Block],
    width: usize,
) -> Vec<Vec<&'a mut [f32]>> {
    let batch: usize = blocks.iter().map(|block| block.texts).sum();
    let mut parts: Vec<Vec<&mut [f32]>> = blocks.iter().map(|_| Vec::new()).collect();
    for mut step in values.chunks_exact_mut(batch * width) {
        for (part, block) in parts.iter_mut().zip(blocks) {
            let (of_block, rest) = step.split_at_mut(block.texts * width);
            part.push(of_block);
            step = rest;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_even_and_not_large() {
        for batch in 1..200 {
            let found = blocks(batch);
            let mut next = 0;
            for block in &found {
                assert_eq!(block.start, next);
                next += block.texts;
            }
            assert_eq!(next, batch);
            let texts = || found.iter().map(|block| block.texts);
            let (least, most) = (texts().min().unwrap(), texts().max().unwrap());
            assert!(most - least <= 1 && most <= TEXTS, "{batch}: {found:?}");
        }
        assert_eq!((blocks(7).len(), blocks(20).len()), (1, 2));
    }

    #[test]
    fn every_block_has_its_texts_of_every_time() {
        let mut values: Vec<f32> = (0..2 * 9).map(|n| n as f32).collect();
        let blocks = blocks(9);
        let expected = values[blocks[1].range(1, 9, 1)].to_vec();
        let parts = by_block(&mut values, &blocks, 1);
        assert_eq!(parts[0][1], [9.0, 10.0, 11.0, 12.0]);
        assert_eq!(parts[1][1], expected);
        assert_eq!((parts[0].len(), parts[1].len()), (2, 2));
    }
}
