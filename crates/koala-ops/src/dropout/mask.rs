//! Which values a dropout keeps.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::kernel::judge;

/// Draws that are made and judged at once.
const PIECE: usize = 1024;

/// Which values one dropout keeps, and by what it multiplies them.
///
/// A function of a generator, a place and the value's index: each value has one 32-bit word of the generator's stream, and
/// ChaCha counts its blocks, so that any part of the stream is drawn by itself. Whoever draws, in whatever parts and on
/// however many threads, finds the same bits as one who draws them one after the other.
#[derive(Debug, Clone)]
pub struct DropoutMask {
    generator: ChaCha8Rng,
    place: u64,
    threshold: u32,
    factor: f32,
}

impl DropoutMask {
    /// Drops each value with the given probability, to within 2^-32, and divides the others by its complement. `place` is the
    /// word of the generator's stream, counted from its beginning, that decides on the first value.
    ///
    /// `None` if nothing is dropped: a probability that is not above 0, or is not a number. One of 1 or more makes everything
    /// 0.
    pub fn new(generator: ChaCha8Rng, place: u64, probability: f64) -> Option<Self> {
        // Also false if it is not a number.
        let drops = probability > 0.0;
        let some = probability < 1.0;
        drops.then(|| Self {
            generator,
            place,
            threshold: if some {
                (probability * 2.0f64.powi(32)) as u32
            } else {
                u32::MAX
            },
            factor: if some {
                (1.0 / (1.0 - probability)) as f32
            } else {
                0.0
            },
        })
    }

    /// By what values that are kept are multiplied.
    pub fn factor(&self) -> f32 {
        self.factor
    }

    /// Whether the values from the given one on are kept: 1 if so, else 0.
    pub fn keeps(&self, from: usize, kept: &mut [u8]) {
        let mut generator = self.generator.clone();
        generator.set_word_pos(u128::from(self.place) + from as u128);
        let mut draws = [[0; 4]; PIECE];
        for kept in kept.chunks_mut(PIECE) {
            let draws = &mut draws[..kept.len()];
            generator.fill_bytes(draws.as_flattened_mut());
            judge(kept, draws, self.threshold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::rand_core::SeedableRng;

    fn mask(probability: f64, place: u64) -> DropoutMask {
        DropoutMask::new(ChaCha8Rng::from_seed([7; 32]), place, probability).unwrap()
    }

    proptest! {
        #[test]
        fn parts_are_what_a_single_pass_draws(
            place in 0..200u64,
            from in 0..3000usize,
            count in 0..3000usize,
            probability in 0.01..0.99f64,
        ) {
            let mut generator = ChaCha8Rng::from_seed([7; 32]);
            let threshold = (probability * 2.0f64.powi(32)) as u64;
            let before = place as usize + from;
            let draws: Vec<u32> = (0..before + count).map(|_| generator.next_u32()).collect();
            let expected: Vec<u8> = draws[before..]
                .iter()
                .map(|draw| u8::from(u64::from(*draw) >= threshold))
                .collect();
            let mut found = vec![9; count];
            mask(probability, place).keeps(from, &mut found);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn nothing_is_dropped_where_no_probability_is_above_0() {
        for probability in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            let generator = ChaCha8Rng::from_seed([7; 32]);
            assert!(DropoutMask::new(generator, 0, probability).is_none());
        }
        assert_eq!(mask(1.0, 0).factor(), 0.0);
        assert_eq!(mask(f64::INFINITY, 0).factor(), 0.0);
        assert_eq!(mask(0.75, 0).factor(), 4.0);
    }
}
