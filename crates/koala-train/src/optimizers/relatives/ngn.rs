//! NGN's step length (Orvieto and Xiao, 2024), and the step with momentum that NGN-M and NGN-MDv1 make by it.

use burn::tensor::Tensor;

use super::rows::Row;

/// gamma = c / (1 + c |g|^2 / (2 f)): c is the rate, f the mean loss of the batch, |g|^2 the square of its gradient, g.g / D
/// where the step goes along g / D.
///
/// It is the step of an extended Kalman filter that observes sqrt(f) to be 0, with covariance c / D before each step and
/// noise R = 1/2: H = grad sqrt(f) = g / (2 sqrt(f)) and K = (c / D) H / (c H.H / D + R) give -K sqrt(f) = -gamma g / D. It is
/// Gauss-Newton's too, the minimum of (sqrt(f) + H.p)^2 + p.D p / (2 c) over p. KOALA-V observes f itself, and keeps its
/// covariance from step to step.
pub(super) fn length(loss: f64, square: f64, rate: f64) -> f64 {
    // Without a gradient there is nothing to move by, however long the step; a loss of 0 or below it asks for none.
    if square > 0.0 {
        1.0 / (1.0 / rate + square / (2.0 * loss.max(0.0)))
    } else {
        rate
    }
}

/// x_(k+1) = x_k - (1 - beta) gamma h - decay x_k + beta (x_k - x_(k-1)), and x_(k+1) - x_k. `last` is x_k - x_(k-1).
pub(super) fn heavy_ball(
    row: &mut Row,
    direction: Tensor<1>,
    last: Option<Tensor<1>>,
    [beta, length, decay]: [f64; 3],
) -> Tensor<1> {
    let x = row.x.clone();
    let mut step = direction.mul_scalar(-(1.0 - beta) * length);
    if let Some(last) = last {
        step = step + last.mul_scalar(beta);
    }
    if decay > 0.0 {
        step = step - x.clone().mul_scalar(decay);
    }
    row.x = x + step.clone();
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The gain of a Kalman filter in one dimension, as it stands in textbooks.
        #[test]
        fn it_is_a_kalman_filters_step(f in 1e-6..1e3f64, g in -1e3..1e3f64, c in 1e-6..1e6f64, d in 1e-3..1e3f64) {
            let (covariance, slope, noise) = (c / d, g / (2.0 * f.sqrt()), 0.5);
            let gain = covariance * slope / (slope * covariance * slope + noise);
            let moved = length(f, g * g / d, c) * g / d;
            prop_assert!((moved - gain * f.sqrt()).abs() <= 1e-12 * moved.abs());
        }

        /// Never longer than c, nor than twice Polyak's step; and no shorter than half of the shorter one.
        #[test]
        fn it_lies_between_descent_and_polyak(f in 0.0..1e3f64, square in 1e-9..1e9f64, c in 0.0..1e9f64) {
            let found = length(f, square, c);
            let shorter = c.min(2.0 * f / square);
            prop_assert!(found <= shorter * (1.0 + 1e-12) && found >= 0.5 * shorter * (1.0 - 1e-12), "{} {}", found, shorter);
        }
    }

    #[test]
    fn its_ends() {
        assert_eq!(length(2.0, 0.0, 3.0), 3.0);
        assert_eq!(length(0.0, 4.0, 3.0), 0.0);
        assert_eq!(length(-1.0, 4.0, 3.0), 0.0);
        assert_eq!(length(2.0, 4.0, 0.0), 0.0);
        assert_eq!(length(2.0, 4.0, f64::MAX), 1.0);
    }
}
