//! The order in which training sees its samples.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The order of the samples of one data set: a pure function of the seed, the epoch and the position, the same for every
/// optimizer and on every machine, so that runs can be compared and a run can go on in the middle of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOrder {
    /// Seed of the run.
    pub seed: u64,
    /// Number of samples.
    pub samples: usize,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Whether a last batch with fewer samples is left out.
    pub drop_last: bool,
}

impl BatchOrder {
    /// Batches in one epoch; 0 if there is no sample or the batch size is 0.
    pub fn batches(&self) -> usize {
        match self.batch_size {
            0 => 0,
            size if self.drop_last => self.samples / size,
            size => self.samples.div_ceil(size),
        }
    }

    /// The numbers of all samples in the order of epoch `epoch` (from 0): a uniformly drawn permutation.
    pub fn permutation(&self, epoch: usize) -> Vec<usize> {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        // Streams 0 and up are the epochs; initial weights are drawn from other seeds.
        generator.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..self.samples).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, below(&mut generator, last as u64 + 1) as usize);
        }
        order
    }
}

/// A uniform draw from `0..bound` for `bound > 0`, without bias (rejection of the uneven rest).
pub(super) fn below(generator: &mut ChaCha8Rng, bound: u64) -> u64 {
    let rest = (u64::MAX % bound + 1) % bound;
    loop {
        let draw = generator.next_u64();
        if draw <= u64::MAX - rest {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(seed: u64, samples: usize, batch_size: usize, drop_last: bool) -> BatchOrder {
        BatchOrder {
            seed,
            samples,
            batch_size,
            drop_last,
        }
    }

    #[test]
    fn the_order_never_changes_between_versions() {
        assert_eq!(
            order(7, 8, 3, false).permutation(2),
            [0, 5, 2, 7, 3, 4, 6, 1]
        );
    }

    proptest! {
        #[test]
        fn every_sample_once_an_epoch(seed: u64, epoch in 0usize..1000, samples in 0usize..300) {
            let mut seen = order(seed, samples, 32, false).permutation(epoch);
            prop_assert_eq!(&seen, &order(seed, samples, 5, true).permutation(epoch));
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..samples).collect::<Vec<_>>());
        }

        #[test]
        fn epochs_and_seeds_differ(seed in 0u64..1 << 60, epoch in 0usize..1000) {
            let a = order(seed, 100, 10, false);
            prop_assert_ne!(a.permutation(epoch), a.permutation(epoch + 1));
            prop_assert_ne!(a.permutation(epoch), order(seed + 1, 100, 10, false).permutation(epoch));
        }

        #[test]
        fn batches_cover_the_epoch(samples in 0usize..1000, size in 0usize..100) {
            let kept = order(0, samples, size, false).batches();
            let dropped = order(0, samples, size, true).batches();
            if size == 0 { prop_assert_eq!((kept, dropped), (0, 0)); } else {
                prop_assert!(kept * size >= samples && dropped * size <= samples && kept - dropped <= 1);
            }
        }
    }
}
