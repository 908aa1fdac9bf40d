//! What tests of networks share.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_core::KoalaMConfig;

use super::language::WindowModel;
use super::{Masks, cross_entropy};
use crate::data::ImageShape;
use crate::optimizers::{Baseline, KoalaOptimizer, Optimizer, SgdSpec};

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

/// Checks that a few steps of KOALA-M with this gain and of SGD with this learning rate lower the mean of the losses by a tenth.
pub(crate) fn falls<M: Module>(
    model: M,
    steps: usize,
    [gain, learning_rate]: [f64; 2],
    losses: impl Fn(&M) -> Tensor<1>,
) {
    let koala = KoalaOptimizer::new(KoalaMConfig::new().with_gain(gain).into(), &model).unwrap();
    let sgd = Baseline::from(&SgdSpec {
        learning_rate,
        ..SgdSpec::default()
    });
    let optimizers: [(&str, Box<dyn Optimizer<M>>); 2] =
        [("koala-m", Box::new(koala)), ("sgd", Box::new(sgd))];
    for (name, mut optimizer) in optimizers {
        let mut model = model.clone();
        let mut means = Vec::new();
        for _ in 0..steps {
            optimizer.prepare(&mut model).unwrap();
            let values = losses(&model);
            let host: Vec<f32> = values.clone().inner().into_data().try_into_vec().unwrap();
            means.push(host.iter().sum::<f32>() / host.len() as f32);
            let gradients = GradientsParams::from_grads(values.mean().backward(), &model);
            model = optimizer.step(model, gradients, &host, 1.0).unwrap().0;
        }
        let last = means[steps - 3..].iter().sum::<f32>() / 3.0;
        assert!(last < 0.9 * means[0], "{name}: {means:?}");
    }
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

/// Made tokens, `[batch, time]`, and the ones that follow them.
pub(crate) fn tokens(
    [batch, time]: [usize; 2],
    vocabulary: usize,
    device: &Device,
) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let of = |shift: usize| {
        let values: Vec<i32> = (0..batch * time)
            .map(|i| ((i / time * 5 + (i % time + shift) * 3) % vocabulary) as i32)
            .collect();
        Tensor::from_data(TensorData::new(values, [batch, time]), device)
    };
    (of(0), of(1))
}

/// The loss of each token.
pub(crate) fn token_losses(scores: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    cross_entropy(scores.flatten(0, 1), targets.flatten(0, 1))
}

/// Checks that training lowers the loss of a few made tokens.
pub(crate) fn check_learning<M: WindowModel>(model: M, vocabulary: usize) {
    let (input, target) = tokens([4, 6], vocabulary, &Device::flex().autodiff());
    falls(model, 40, [0.3, 0.1], |model| {
        let scores = model.scores(input.clone(), &mut Masks::new(3, 0));
        token_losses(scores, target.clone())
    });
}

/// Checks that the scores of a position do not depend on later tokens, and do on earlier ones.
pub(crate) fn check_causal<M: WindowModel>(model: &M, vocabulary: usize) {
    let device = Device::flex();
    let (input, other) = tokens([1, 5], vocabulary, &device);
    let scores = |tokens| model.scores(tokens, &mut Masks::off());
    let changed = Tensor::cat(
        vec![input.clone().narrow(1, 0, 3), other.narrow(1, 3, 2)],
        1,
    );
    let difference = (scores(input) - scores(changed)).abs();
    let largest = |from, count| {
        difference
            .clone()
            .narrow(1, from, count)
            .max()
            .into_scalar::<f32>()
    };
    assert_eq!(largest(0, 3), 0.0);
    assert!(largest(3, 2) > 0.0);
}
