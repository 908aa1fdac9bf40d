//! Random crops and flips whose draws can be repeated.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::order::below;

/// Words of the generator's stream that belong to one sample: a block, far more than it draws.
const WORDS: u128 = 16;

/// Whether and how training images are changed at random.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Augmentation {
    /// They are not.
    #[default]
    None,
    /// Padded by 4 black pixels on each side, a window of the original size is cut out at random, and mirrored with
    /// probability 1/2: torchvision's `RandomCrop(32, padding=4)` and `RandomHorizontalFlip()`, before normalisation.
    CropFlip,
}

impl Augmentation {
    /// The names of all of them.
    pub const NAMES: [&'static str; 2] = ["none", "crop-flip"];

    /// The draws of one epoch (from 0) of a run; nothing if images are not changed.
    pub fn draws(self, seed: u64, epoch: usize) -> Option<Augment> {
        match self {
            Self::None => None,
            Self::CropFlip => Some(Augment {
                seed,
                epoch,
                padding: 4,
                flip: true,
            }),
        }
    }
}

/// The draws of one epoch: what happens to a sample is a pure function of seed, epoch and the sample's number, whatever
/// batch it is in and whoever asks first, so that a run can go on in the middle of an epoch with the same images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Augment {
    /// Seed of the run.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: usize,
    /// Black pixels put around the image before a window of its own size is cut out.
    pub padding: u8,
    /// Whether half of the images are mirrored, left to right.
    pub flip: bool,
}

/// Where a sample's image comes to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Pixels it is moved down.
    pub down: isize,
    /// Pixels it is moved to the right.
    pub right: isize,
    /// Whether it is then mirrored, left to right.
    pub flip: bool,
}

impl Augment {
    /// Where the image of one sample comes to lie: each of the `2 padding + 1` squared windows is equally likely, and
    /// with `flip` each of the two directions, independently.
    pub fn placement(&self, sample: usize) -> Placement {
        // A key of its own: order of samples, initial weights and dropout are drawn from other streams.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..15].copy_from_slice(b"augment");
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(self.epoch as u64);
        generator.set_word_pos(sample as u128 * WORDS);
        let padding = isize::from(self.padding);
        let mut moved = || below(&mut generator, 2 * padding as u64 + 1) as isize - padding;
        let (down, right) = (moved(), moved());
        Placement {
            down,
            right,
            flip: self.flip && below(&mut generator, 2) == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::three;
    use proptest::prelude::*;

    const DRAWS: Augment = Augment {
        seed: 7,
        epoch: 2,
        padding: 4,
        flip: true,
    };

    #[test]
    fn draws_never_change_between_versions() {
        let found: Vec<_> = [0, 1, 49_999]
            .map(|sample| DRAWS.placement(sample))
            .map(|p| (p.down, p.right, p.flip))
            .to_vec();
        assert_eq!(found, [(-4, 3, true), (-3, 4, true), (-1, -2, false)]);
    }

    #[test]
    fn every_window_and_direction_is_equally_likely() {
        const SAMPLES: usize = 162_000;
        let mut counts = [[[0u32; 9]; 9]; 2];
        for sample in 0..SAMPLES {
            let Placement { down, right, flip } = DRAWS.placement(sample);
            counts[usize::from(flip)][(down + 4) as usize][(right + 4) as usize] += 1;
        }
        let expected = SAMPLES as f64 / 162.0;
        let chi_squared: f64 = counts
            .iter()
            .flatten()
            .flatten()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        // 161 degrees of freedom: mean 161, standard deviation 18; five of them on each side.
        assert!((71.0..251.0).contains(&chi_squared), "{chi_squared}");
    }

    #[test]
    fn seed_epoch_and_sample_decide() {
        let draws = |augment: Augment, first: usize| -> Vec<Placement> {
            (first..first + 20).map(|s| augment.placement(s)).collect()
        };
        assert_eq!(draws(DRAWS, 0), draws(DRAWS, 0));
        assert_ne!(draws(DRAWS, 0), draws(DRAWS, 20));
        assert_ne!(draws(DRAWS, 0), draws(Augment { epoch: 3, ..DRAWS }, 0));
        assert_ne!(draws(DRAWS, 0), draws(Augment { seed: 8, ..DRAWS }, 0));
    }

    #[test]
    fn no_padding_and_no_flip_change_nothing() {
        let still = Augment {
            padding: 0,
            flip: false,
            ..DRAWS
        };
        let set = three();
        let plain = set.host_batch(&[0, 1, 2], None);
        assert_eq!(set.host_batch(&[0, 1, 2], Some(&still)), plain);
    }

    #[test]
    fn names_are_those_of_configurations() {
        for name in Augmentation::NAMES {
            let value = toml::Value::String(name.to_owned());
            let parsed: Augmentation = value.clone().try_into().unwrap();
            assert_eq!(toml::Value::try_from(parsed).unwrap(), value);
        }
        assert_eq!(Augmentation::None.draws(1, 1), None);
        let draws = Augmentation::CropFlip.draws(7, 2);
        assert_eq!(draws, Some(DRAWS));
    }

    proptest! {
        #[test]
        fn an_image_does_not_depend_on_its_batch(seed: u64, epoch in 0usize..1000, order in Just(vec![2usize, 0, 1]).prop_shuffle()) {
            let set = three();
            let augment = Augment { seed, epoch, padding: 1, flip: true };
            let whole = set.host_batch(&order, Some(&augment));
            for (at, sample) in order.iter().enumerate() {
                let alone = set.host_batch(&[*sample], Some(&augment));
                prop_assert_eq!(&alone.images, &whole.images[2 * at..2 * at + 2]);
            }
        }

        #[test]
        fn any_padding_gives_an_answer(padding: u8, sample: usize) {
            let _ = Augment { padding, ..DRAWS }.placement(sample);
        }
    }
}
