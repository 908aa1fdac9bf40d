//! What generators start from.

use burn::tensor::{Device, Tensor, TensorData};

use crate::random;

/// What noise is for. Different purposes share no numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoisePurpose {
    /// Images that the critic learns to tell from real ones.
    Critic,
    /// Images that the generator learns from.
    Generator,
    /// Images that are shown.
    Picture,
    /// Images that are compared with real ones.
    Distance,
}

impl NoisePurpose {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Critic => b"gan noise critic",
            Self::Generator => b"gan noise generator",
            Self::Picture => b"gan noise picture",
            Self::Distance => b"gan noise distance",
        }
    }
}

/// Noise from N(0, 1), `[batch, numbers]`: a function of the run's seed, the purpose and the step alone. Each update of a
/// network counts as a step of its purpose, so that five updates of the critic have five noises.
///
/// The first samples are the same however many are asked for.
pub fn noise(
    seed: u64,
    purpose: NoisePurpose,
    step: u64,
    [batch, numbers]: [usize; 2],
    device: &Device,
) -> Tensor<2> {
    let mut generator = random::generator(seed, purpose.key(), step);
    let values = random::normal(&mut generator, batch * numbers, 1.0);
    Tensor::from_data(TensorData::new(values, [batch, numbers]), device)
}

/// The share of the real image in each mixture of the gradient penalty, `[batch]`, from U(0, 1): a function of the run's
/// seed and the critic's step alone.
pub fn mixing_shares(seed: u64, step: u64, batch: usize, device: &Device) -> Tensor<1> {
    let mut generator = random::generator(seed, b"gan mixing shares", step);
    let values: Vec<f32> = (0..batch)
        .map(|_| random::unit(&mut generator) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, [batch]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_normal, check_uniform};

    const PURPOSES: [NoisePurpose; 4] = [
        NoisePurpose::Critic,
        NoisePurpose::Generator,
        NoisePurpose::Picture,
        NoisePurpose::Distance,
    ];

    fn values(seed: u64, purpose: NoisePurpose, step: u64, batch: usize) -> Vec<f32> {
        let drawn = noise(seed, purpose, step, [batch, 4], &Device::flex());
        drawn.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn noise_is_normal() {
        for purpose in PURPOSES {
            check_normal(&noise(1, purpose, 2, [500, 128], &Device::flex()), 1.0);
        }
    }

    #[test]
    fn shares_are_uniform() {
        let shares = mixing_shares(1, 2, 20_000, &Device::flex());
        check_uniform(&(shares * 2.0 - 1.0), 1.0);
    }

    #[test]
    fn seed_purpose_and_step_decide() {
        let mut seen = Vec::new();
        for seed in [1, 2] {
            for purpose in PURPOSES {
                for step in [0, 1, u64::MAX] {
                    let drawn = values(seed, purpose, step, 8);
                    assert_eq!(drawn, values(seed, purpose, step, 8));
                    assert!(!seen.contains(&drawn), "{seed} {purpose:?} {step}");
                    seen.push(drawn);
                }
            }
        }
        let shares = |seed, step| -> Vec<f32> {
            let drawn = mixing_shares(seed, step, 8, &Device::flex());
            drawn.into_data().try_into_vec().unwrap()
        };
        assert_eq!(shares(1, 2), shares(1, 2));
        assert_ne!(shares(1, 2), shares(1, 3));
        assert_ne!(shares(1, 2), shares(2, 2));
    }

    #[test]
    fn more_samples_begin_with_the_same() {
        let few = values(3, NoisePurpose::Picture, 0, 2);
        assert_eq!(few, values(3, NoisePurpose::Picture, 0, 9)[..8]);
    }
}
