//! The loss of each sample.

use burn::tensor::{Int, Tensor, activation::log_sigmoid};

/// Cross-entropy of each sample in nats, `[batch]`: minus the logarithm of the probability of the right class.
///
/// `scores` are before the softmax, `[batch, classes]`; `targets` are classes, `[batch]`. Stable: the largest score is
/// taken off before anything is exponentiated.
pub fn cross_entropy(scores: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    koala_ops::cross_entropy(scores, targets)
}

/// Binary cross-entropy of each sample in nats, averaged over its values, `[batch]`: what the deep autoencoder of Hinton and
/// Salakhutdinov (2006) minimises.
///
/// `scores` are before the logistic function, `[batch, values]`; `targets` are in [0, 1], `[batch, values]`. With a target t and
/// a score z, minus t log s(z) + (1 - t) log(1 - s(z)) is (1 - t) z - log s(z), in which nothing is exponentiated that could
/// overflow.
pub fn binary_cross_entropy(scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let off = targets.neg().add_scalar(1.0);
    let losses = off * scores.clone() - log_sigmoid(scores);
    losses.mean_dim(1).squeeze_dim(1)
}

/// Squared error of each sample, `[batch]`, without a factor: its mean over samples is the usual mean squared error
/// (`torch.nn.MSELoss`). `told` and `targets` are `[batch]`.
pub fn squared_error(told: Tensor<1>, targets: Tensor<1>) -> Tensor<1> {
    (told - targets).square()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values;
    use burn::tensor::Device;
    use proptest::prelude::*;

    fn losses(scores: [[f32; 3]; 2], targets: [i32; 2]) -> Vec<f32> {
        let device = Device::flex();
        let scores = Tensor::from_data(scores, &device);
        let targets = Tensor::from_data(targets, &device);
        cross_entropy(scores, targets)
            .into_data()
            .try_into_vec()
            .unwrap()
    }

    #[test]
    fn equals_the_definition() {
        let found = losses([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [0, 2]);
        let sum: f32 = [1.0f32, 2.0, 3.0].iter().map(|s| s.exp()).sum();
        assert!((found[0] - (sum.ln() - 1.0)).abs() < 1e-5);
        assert!((found[1] - 3.0f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let found = losses([[1e30, 0.0, 0.0], [5e3, -5e3, 0.0]], [0, 1]);
        assert_eq!(found, [0.0, 1e4]);
    }

    /// Computed with NumPy 1.24 in 64 bits:
    ///
    /// ```python
    /// z = np.array([[0.5, -1.25, 3.0], [0.0, 20.0, -7.5]]); t = np.array([[1.0, 0.0, 0.25], [0.5, 1.0, 0.875]])
    /// s = 1 / (1 + np.exp(-z))
    /// print(-(t * np.log(s) + (1 - t) * np.log(1 - s)).mean(1))
    /// ```
    #[test]
    fn binary_cross_entropy_equals_the_definition() {
        let device = Device::flex();
        let scores = Tensor::from_data([[0.5f32, -1.25, 3.0], [0.0, 20.0, -7.5]], &device);
        let targets = Tensor::from_data([[1.0f32, 0.0, 0.25], [0.5, 1.0, 0.875]], &device);
        let found = values(binary_cross_entropy(scores, targets));
        for (found, expected) in found
            .iter()
            .zip([1.008_197_805_699_741, 2.418_733_371_365_487])
        {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-6,
                "{found} {expected}"
            );
        }
    }

    /// The losses of one score and target each, and the slopes of their mean.
    fn binary(scores: &[f32], targets: &[f32]) -> [Vec<f32>; 2] {
        let device = Device::flex().autodiff();
        let shape = [scores.len(), 1];
        let of = |all: &[f32]| Tensor::<1>::from_floats(all, &device).reshape(shape);
        let scores: Tensor<2> = of(scores).require_grad();
        let losses = binary_cross_entropy(scores.clone(), of(targets));
        let slopes = scores.grad(&losses.clone().sum().backward()).unwrap();
        [
            values(losses.inner()),
            slopes.into_data().try_into_vec().unwrap(),
        ]
    }

    #[test]
    fn no_score_overflows() {
        let [losses, slopes] = binary(&[1e30, -1e30, 1e4, -1e4, 0.0], &[1.0, 0.0, 0.0, 1.0, 0.25]);
        assert_eq!(losses[..4], [0.0, 0.0, 1e4, 1e4]);
        assert!((losses[4] - 2.0f32.ln()).abs() < 1e-6);
        assert_eq!(slopes, [0.0, 0.0, 1.0, -1.0, 0.25]);
    }

    #[test]
    fn squared_errors_have_no_factor() {
        let device = Device::flex();
        let told = Tensor::from_data([3.0f32, -100.0], &device);
        let targets = Tensor::from_data([1.0f32, 0.0], &device);
        assert_eq!(values(squared_error(told, targets)), [4.0, 1e4]);
    }

    proptest! {
        #[test]
        fn the_slope_is_probability_minus_target(score in -60f32..60.0, target in 0f32..=1.0) {
            let [losses, slopes] = binary(&[score], &[target]);
            let (score, target) = (f64::from(score), f64::from(target));
            let probability = 1.0 / (1.0 + (-score).exp());
            let loss = score.max(0.0) - score * target + (-score.abs()).exp().ln_1p();
            prop_assert!((f64::from(losses[0]) - loss).abs() < 1e-5 * loss.max(1.0));
            prop_assert!((f64::from(slopes[0]) - (probability - target)).abs() < 1e-6);
        }
    }
}
