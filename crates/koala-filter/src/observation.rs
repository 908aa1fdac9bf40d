//! The measurement: what one minibatch says about the loss.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Sums over the per-sample losses of a minibatch, all that the filter needs to know of them.
///
/// Sums, not means, so that micro-batches and the shares of data-parallel replicas add up to the big batch:
/// merge the observations (or all-reduce the three numbers) exactly as the gradients are.
///
/// ```
/// use koala_filter::Observation;
/// let whole = Observation::from_losses(&[1.0, 2.0, 3.0]);
/// let parts = Observation::from_losses(&[1.0]).merged(Observation::from_losses(&[2.0, 3.0]));
/// assert_eq!(whole, parts);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    sum: f64,
    sum_of_squares: f64,
    count: u64,
}

impl Observation {
    /// From the per-sample losses l_i at the predicted parameters. Non-finite losses are kept: they make the
    /// measurement a missing one.
    pub fn from_losses<L: Copy + Into<f64>>(losses: &[L]) -> Self {
        let (mut sum, mut sum_of_squares) = (0.0, 0.0);
        for &loss in losses {
            let loss: f64 = loss.into();
            sum += loss;
            sum_of_squares += loss * loss;
        }
        Self {
            sum,
            sum_of_squares,
            count: losses.len() as u64,
        }
    }

    /// From sum l_i, sum l_i^2 and the number of samples, as they come out of an all-reduce.
    ///
    /// # Errors
    /// [`Error::InvalidObservation`] if `count` is 0 or `sum_of_squares` is negative. Non-finite sums are kept, as
    /// a missing measurement.
    pub fn from_sums(sum: f64, sum_of_squares: f64, count: u64) -> Result<Self> {
        if count == 0 {
            return Err(Error::InvalidObservation {
                field: "count",
                value: "0".into(),
                requirement: "at least 1",
            });
        }
        if sum_of_squares < 0.0 {
            return Err(Error::InvalidObservation {
                field: "sum_of_squares",
                value: sum_of_squares.to_string(),
                requirement: "not negative",
            });
        }
        Ok(Self {
            sum,
            sum_of_squares,
            count,
        })
    }

    /// From L = mean(l_i) and M = mean(l_i^2) over `count` samples.
    ///
    /// # Errors
    /// As [`from_sums`](Self::from_sums).
    pub fn from_means(mean: f64, mean_square: f64, count: u64) -> Result<Self> {
        let samples = count as f64;
        Self::from_sums(mean * samples, mean_square * samples, count)
    }

    /// From the mean loss alone, where per-sample losses are not to be had: M = L^2, as if all samples had the same
    /// loss. Never a variance of 0: R then follows the squared loss.
    pub fn from_mean(mean: f64) -> Self {
        Self {
            sum: mean,
            sum_of_squares: mean * mean,
            count: 1,
        }
    }

    /// This observation and another one, of other samples at the same parameters.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            count: self.count + other.count,
        }
    }

    /// The observation of losses that were multiplied by `scale` (mixed-precision loss scaling): l_i / scale.
    /// Gradients must be unscaled by the same factor. A scale that is zero or not finite gives a missing measurement.
    #[must_use]
    pub fn unscaled(self, scale: f64) -> Self {
        Self {
            sum: self.sum / scale,
            sum_of_squares: self.sum_of_squares / scale / scale,
            count: self.count,
        }
    }

    /// L, the mean loss (NaN if there is none).
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// M about 0, the mean squared loss (NaN if there is none).
    pub fn mean_square(&self) -> f64 {
        self.sum_of_squares / self.count as f64
    }

    /// Sum of the losses.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Sum of the squared losses.
    pub fn sum_of_squares(&self) -> f64 {
        self.sum_of_squares
    }

    /// Number of losses.
    pub fn count(&self) -> u64 {
        self.count
    }
}
