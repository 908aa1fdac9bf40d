//! Random numbers that are functions of a seed and a purpose.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator for one purpose: different purposes, of at most 24 bytes, and different streams of one purpose, such as the
/// steps of a run, share no numbers.
pub fn generator(seed: u64, purpose: &[u8], stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    for (to, from) in key[8..].iter_mut().zip(purpose) {
        *to = *from;
    }
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(stream);
    generator
}

/// 53 random bits: uniform on [0, 1).
pub fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Values from N(0, deviation^2), by the method of Box and Muller.
pub fn normal(generator: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // 1 - unit is never 0.
        let radius = deviation * (-2.0 * (1.0 - unit(generator)).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * unit(generator)).sin_cos();
        values.extend([(radius * cosine) as f32, (radius * sine) as f32]);
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change_between_versions() {
        let mut generator = generator(7, b"test", 3);
        assert_eq!(
            normal(&mut generator, 3, 1.0),
            [-1.724881, -0.82546675, 0.376751]
        );
        assert_eq!(unit(&mut generator), 0.6481372334774885);
    }

    #[test]
    fn seed_purpose_and_stream_decide() {
        let of = |seed, purpose: &[u8], stream| unit(&mut generator(seed, purpose, stream));
        assert_eq!(of(1, b"a", 2), of(1, b"a", 2));
        for other in [of(2, b"a", 2), of(1, b"b", 2), of(1, b"a", 3)] {
            assert_ne!(of(1, b"a", 2), other);
        }
    }
}
