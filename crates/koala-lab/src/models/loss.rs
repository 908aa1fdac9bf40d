//! The loss of each sample.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Cross-entropy of each sample in nats, `[batch]`: minus the logarithm of the probability of the right class.
///
/// `scores` are before the softmax, `[batch, classes]`; `targets` are classes, `[batch]`. Stable: the largest score is
/// taken off before anything is exponentiated.
pub fn cross_entropy(scores: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(scores, 1)
        .gather(1, targets.unsqueeze_dim(1))
        .squeeze_dim(1)
        .neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

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
}
