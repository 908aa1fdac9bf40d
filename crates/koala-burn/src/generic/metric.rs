//! KOALA-A's metric, for the readings and the update alike.

use burn::Tensor;
use burn::tensor::TensorData;
use koala_filter::MetricFloor;

use super::sums::largest;

/// s after this step, from s before it and h.
pub(super) fn second_moment(smoothing: f64, s: &Tensor<1>, h: &Tensor<1>) -> Tensor<1> {
    s.clone().mul_scalar(smoothing) + h.clone().mul_scalar(1.0 - smoothing) * h.clone()
}

/// The floor of D on the device, a tensor of one in the type of `maxima`: of the largest ŝ of the tensors that are worked on
/// here, and of the others' if there are any. Nothing is read back for it.
pub(crate) fn floor(rule: MetricFloor, maxima: Tensor<1>, others: Option<f64>) -> Tensor<1> {
    let maxima = match others {
        None => maxima,
        Some(others) => {
            let options = (&maxima.device(), maxima.dtype());
            let others = Tensor::from_data(TensorData::from([others]), options);
            Tensor::cat(vec![maxima, others], 0)
        }
    };
    largest(maxima)
        .sqrt()
        .mul_scalar(rule.epsilon)
        .add_scalar(rule.least)
}
