//! Softmax with cross-entropy against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use koala_ops::{cross_entropy, with_burn};
use proptest::prelude::*;
use support::{agree, close, constant, floats, run, tracked};

fn targets(batch: usize, classes: usize, device: &Device) -> Tensor<1, Int> {
    let targets: Vec<i64> = (0..batch).map(|i| (i * 7 % classes) as i64).collect();
    Tensor::from_data(TensorData::new(targets, [batch]), device)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_burns(batch in 1usize..40, classes in 1usize..70, scale in 0.1f32..30.0, wanted: bool) {
        let shape = [batch, classes];
        // Of one class alone every loss is 0, and so is every gradient.
        prop_assume!(classes > 1);
        agree(&[if wanted { tracked(&shape) } else { constant(&shape) }], |t| {
            let scores: Tensor<2> = t[0].clone().reshape(shape) * scale;
            let targets = targets(batch, classes, &scores.device());
            cross_entropy(scores, targets)
        });
    }
}

#[test]
fn large_batches_agree_too() {
    let shape = [700, 301];
    agree(&[tracked(&shape)], |t| {
        let scores: Tensor<2> = t[0].clone().reshape([301, 700]).transpose();
        let targets = targets(700, 301, &scores.device());
        cross_entropy(scores, targets.cast(DType::I32))
    });
}

#[test]
fn scores_that_others_hold_stay_as_they_are() {
    let shape = [5, 4];
    agree(&[tracked(&shape)], |t| {
        let scores: Tensor<2> = t[0].clone().reshape(shape);
        let targets = targets(5, 4, &scores.device());
        let losses =
            cross_entropy(scores.clone(), targets.clone()) + cross_entropy(scores.clone(), targets);
        losses * scores.square().sum_dim(1).squeeze_dim(1)
    });
}

#[test]
fn no_score_overflows() {
    let device = Device::flex();
    let scores = Tensor::from_data([[1e30f32, 0.0, -1e30], [5e3, -5e3, 0.0]], &device);
    let targets = Tensor::from_data([0, 1], &device);
    assert_eq!(floats(cross_entropy(scores, targets)), [0.0, 1e4]);
}

/// Integers that Burn's own operation takes, and a batch of none.
#[test]
fn what_is_not_taken_is_burns() {
    let device = Device::flex().autodiff();
    let forward = |t: &[Tensor<1>]| {
        let scores: Tensor<2> = t[0].clone().reshape([3, 4]);
        cross_entropy(scores, targets(3, 4, &device).cast(DType::I16))
    };
    let made = [tracked(&[3, 4])];
    let found = run(&device, &made, forward);
    close(&found, &with_burn(|| run(&device, &made, forward)));
}
