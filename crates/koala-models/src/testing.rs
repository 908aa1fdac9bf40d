//! What tests of networks share: made images, and whether values are of a distribution.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{ImageShape, float_parameters};

/// Made images without meaning, `[batch, channels, height, width]`, and their classes.
pub(crate) fn images(
    shape: [usize; 4],
    classes: usize,
    device: &Device,
) -> (Tensor<4>, Tensor<1, Int>) {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
    let targets: Vec<i32> = (0..shape[0]).map(|i| (i % classes) as i32).collect();
    (
        Tensor::from_data(TensorData::new(values, shape), device),
        Tensor::from_data(TensorData::new(targets, [shape[0]]), device),
    )
}

/// Square images of ten classes.
pub(crate) fn square(channels: usize, side: usize) -> ImageShape {
    ImageShape {
        channels,
        height: side,
        width: side,
        classes: 10,
    }
}

/// The values of a vector.
pub(crate) fn values(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// Checks that every parameter has a gradient of the mean of the losses that is not 0 all over.
pub(crate) fn check_all_moved<M: Module>(model: &M, losses: Tensor<1>) {
    let gradients = GradientsParams::from_grads(losses.mean().backward(), model);
    for parameter in float_parameters(model) {
        let norm: f32 = match parameter.shape.len() {
            1 => norm(gradients.get::<1>(parameter.id)),
            2 => norm(gradients.get::<2>(parameter.id)),
            _ => norm(gradients.get::<4>(parameter.id)),
        };
        assert!(norm > 0.0 && norm.is_finite(), "{}: {norm}", parameter.path);
    }
}

/// Sum of the magnitudes; 0 if there is no gradient.
fn norm<const D: usize>(gradient: Option<Tensor<D>>) -> f32 {
    gradient.map_or(0.0, |gradient| gradient.abs().sum().into_scalar())
}

/// Checks that values are from U(-bound, bound): within it, and with its first four moments.
pub(crate) fn check_uniform<const D: usize>(values: &Tensor<D>, bound: f64) {
    let values = scaled(values, bound);
    assert!(values.iter().all(|v| v.abs() <= 1.0 + 1e-6));
    check_moments(&values, [0.0, 1.0 / 3.0, 0.0, 1.0 / 5.0], |n| {
        1.0 / f64::from(2 * n + 1)
    });
}

/// Checks that values are from N(0, deviation^2), by their first four moments.
pub(crate) fn check_normal<const D: usize>(values: &Tensor<D>, deviation: f64) {
    let values = scaled(values, deviation);
    let double_factorial = |n: i32| (1..=n).map(|i| f64::from(2 * i - 1)).product();
    check_moments(&values, [0.0, 1.0, 0.0, 3.0], double_factorial);
}

/// Checks moments within five standard errors; `even` gives the expected moment of order 2n.
fn check_moments(values: &[f64], expected: [f64; 4], even: impl Fn(i32) -> f64) {
    let count = values.len() as f64;
    for (order, expected) in (1..).zip(expected) {
        let found = values.iter().map(|v| v.powi(order)).sum::<f64>() / count;
        let error = ((even(order) - expected * expected) / count).sqrt();
        assert!(
            (found - expected).abs() < 5.0 * error,
            "moment {order} of {count} values: {found}, not {expected}"
        );
    }
}

fn scaled<const D: usize>(values: &Tensor<D>, unit: f64) -> Vec<f64> {
    let values: Vec<f32> = values.clone().into_data().try_into_vec().unwrap();
    values.into_iter().map(|v| f64::from(v) / unit).collect()
}
