//! A made table whose losses are large: Friedman's first function of ten features.
//!
//! J. H. Friedman: *Multivariate Adaptive Regression Splines*, The Annals of Statistics 19 (1), 1991, section 4.3:
//!
//! ```text
//! y = 10 sin(pi x_1 x_2) + 20 (x_3 - 1/2)^2 + 10 x_4 + 5 x_5 + N(0, 1)
//! ```
//!
//! with ten features from U(0, 1), of which the last five mean nothing. The target is 6.5 y: a network that tells 0 of every
//! row, as a new one nearly does, has then a mean squared error of 6.5^2 (14.413^2 + 23.83 + 1) = 9,826, and the best that can
//! be told leaves the noise's, 6.5^2 = 42.25.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{DataError, Split, Table};

const TRAIN: usize = 8000;
const TEST: usize = 2000;
const COLUMNS: usize = 10;
/// What makes the losses as large as they are.
const SCALE: f64 = 6.5;

/// Friedman's first function with noise: 8,000 rows to train on and 2,000 to test on, always the same ones.
///
/// # Errors
///
/// [`DataError::Table`] if the numbers do not make a table, which they do.
pub fn friedman() -> Result<Split<Table>, DataError> {
    Ok(Split::new(part(0, TRAIN)?, part(1, TEST)?))
}

/// So many rows, drawn from a stream of their own.
fn part(stream: u64, rows: usize) -> Result<Table, DataError> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(b"friedman");
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(stream);
    let mut features = Vec::with_capacity(rows * COLUMNS);
    let mut targets = Vec::with_capacity(rows);
    for _ in 0..rows {
        let row = [(); COLUMNS].map(|()| unit(&mut generator));
        targets.push((SCALE * (first(&row) + normal(&mut generator))) as f32);
        features.extend(row.map(|value| value as f32));
    }
    Table::new(COLUMNS, features, targets)
}

/// Friedman's first function, without noise.
fn first(&[x1, x2, x3, x4, x5, ..]: &[f64; COLUMNS]) -> f64 {
    10.0 * (std::f64::consts::PI * x1 * x2).sin() + 20.0 * (x3 - 0.5).powi(2) + 10.0 * x4 + 5.0 * x5
}

/// 53 random bits: uniform on [0, 1).
fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// From N(0, 1), by the method of Box and Muller.
fn normal(generator: &mut ChaCha8Rng) -> f64 {
    // 1 - unit is never 0.
    let radius = (-2.0 * (1.0 - unit(generator)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(generator)).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SampleSet;

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    /// Mean and variance of the function by quadrature (NumPy, midpoints of 2,000 x 2,000 squares): 14.413 and 23.83.
    #[test]
    fn targets_have_the_moments_that_are_told() {
        let split = friedman().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (8000, 2000));
        for table in [&split.train, &split.test] {
            assert_eq!(table.columns(), 10);
            let targets = || table.targets().iter().map(|t| f64::from(*t));
            let (middle, square) = (mean(targets()), mean(targets().map(|t| t * t)));
            // Five standard errors of the mean: 5 sqrt(24.8 / 2000) = 0.56.
            assert!((middle / SCALE - 14.413).abs() < 0.56, "{middle}");
            assert!((square - 9826.0).abs() < 700.0, "{square}");
            let features = (0..table.len()).flat_map(|row| table.row(row));
            assert!(features.into_iter().all(|x| (0.0..=1.0).contains(x)));
        }
    }

    #[test]
    fn what_the_function_leaves_is_the_noise() {
        let table = friedman().unwrap().train;
        let noise = (0..table.len()).map(|row| {
            let mut x = [0.0; COLUMNS];
            for (to, from) in x.iter_mut().zip(table.row(row)) {
                *to = f64::from(*from);
            }
            f64::from(table.targets()[row]) / SCALE - first(&x)
        });
        let square = mean(noise.map(|n| n * n));
        // Five standard errors: 5 sqrt(2 / 8000).
        assert!((square - 1.0).abs() < 0.08, "{square}");
    }

    /// Computed with Python's `math`.
    #[test]
    fn the_function_is_friedmans() {
        let x = [0.5, 0.25, 0.75, 0.1, 0.9, 0.0, 1.0, 0.3, 0.6, 0.2];
        assert!((first(&x) - 10.576_834_323_650_9).abs() < 1e-12);
    }

    #[test]
    fn rows_never_change_between_versions() {
        let table = friedman().unwrap().train;
        assert_eq!(
            (table.row(0)[..2].to_vec(), table.targets()[0]),
            (vec![0.7899389, 0.088986345], 51.539093)
        );
    }
}
