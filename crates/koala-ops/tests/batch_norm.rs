//! Batch normalisation against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};
use koala_ops::{Activation, Then, batch_norm, nn, with_burn};
use proptest::prelude::*;
use support::{Made, agree, close, constant, floats, run, tracked};

const ACTIVATIONS: [Activation; 2] = [Activation::Identity, Activation::Relu];

fn layer(channels: usize, device: &Device) -> BatchNorm {
    let config = BatchNormConfig::new(channels)
        .with_momentum(0.3)
        .with_epsilon(1e-3);
    config.init(device)
}

/// Of images, weights and biases near 1 and 0, and what is added.
fn train(shape: [usize; 4], activation: Activation) -> impl Fn(&[Tensor<1>]) -> Tensor<4> + Sync {
    move |t| {
        let add = t.get(3).map(|added| added.clone().reshape(shape));
        let input = t[0].clone().reshape(shape) * 3.0 + 5.0;
        let gamma = t[1].clone() + 1.5;
        koala_ops::batch_norm_train(input, gamma, t[2].clone(), 1e-5, Then { add, activation })
            .output
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn training_agrees_with_burns(
        shape in [1usize..5, 1usize..6, 1usize..9, 1usize..9],
        wanted in [any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()],
        added: bool, which in 0usize..2,
    ) {
        // One value alone is its own mean: 0, and gradients that are rounding alone.
        prop_assume!(shape[0] * shape[2] * shape[3] > 2);
        let shapes = [shape.to_vec(), vec![shape[1]], vec![shape[1]], shape.to_vec()];
        let made: Vec<Made> = shapes
            .iter()
            .zip(wanted)
            .take(3 + usize::from(added))
            .map(|(shape, wanted)| if wanted { tracked(shape) } else { constant(shape) })
            .collect();
        agree(&made, train(shape, ACTIVATIONS[which]));
    }
}

#[test]
fn large_tensors_agree_too() {
    let shape = [9, 5, 17, 19];
    for activation in ACTIVATIONS {
        agree(
            &[
                tracked(&shape),
                tracked(&[5]),
                tracked(&[5]),
                tracked(&shape),
            ],
            train(shape, activation),
        );
    }
}

#[test]
fn vectors_are_normalised_as_well() {
    agree(&[tracked(&[30, 4]), tracked(&[4]), tracked(&[4])], |t| {
        let then = Then::activate(Activation::Relu);
        let input: Tensor<2> = t[0].clone().reshape([30, 4]);
        koala_ops::batch_norm_train(input, t[1].clone(), t[2].clone(), 1e-5, then).output
    });
}

/// The shortcut is what was normalised, or the same tensor as the upstream gradient is shared.
#[test]
fn what_is_added_may_be_what_is_normalised() {
    let shape = [4, 3, 5, 5];
    agree(&[tracked(&shape), tracked(&[3]), tracked(&[3])], |t| {
        let input: Tensor<4> = t[0].clone().reshape(shape);
        let (gamma, beta) = (t[1].clone(), t[2].clone());
        let once = |input: Tensor<4>, activation| {
            let then = Then {
                add: Some(input.clone()),
                activation,
            };
            koala_ops::batch_norm_train(input, gamma.clone(), beta.clone(), 1e-5, then).output
        };
        let first = once(input, Activation::Identity);
        once(first.clone(), Activation::Relu) + first
    });
}

#[test]
fn inference_agrees_with_burns() {
    let shape = [3, 4, 6, 5];
    for activation in ACTIVATIONS {
        let of = |made: fn(&[usize]) -> Made| {
            let vector = [4];
            let vectors = [
                made(&vector),
                constant(&vector),
                constant(&vector),
                constant(&vector),
            ];
            [vec![constant(&shape)], vectors.to_vec(), vec![made(&shape)]].concat()
        };
        let forward = |t: &[Tensor<1>]| {
            let add = Some(t[5].clone().reshape(shape));
            let vectors = [t[1].clone(), t[2].clone()];
            let running = [t[3].clone(), t[4].clone().abs()];
            let input: Tensor<4> = t[0].clone().reshape(shape);
            batch_norm(input, vectors, running, 1e-5, Then { add, activation })
        };
        agree(&of(constant), forward);
        // Gradients through it are Burn's.
        let device = Device::flex().autodiff();
        let found = run(&device, &of(tracked), forward);
        close(&found, &with_burn(|| run(&device, &of(tracked), forward)));
    }
}

#[test]
fn running_statistics_are_those_that_burn_keeps() {
    let device = Device::flex().autodiff();
    let shape = [3, 4, 5, 2];
    let trained = |forward: &dyn Fn(&BatchNorm, Tensor<4>) -> Tensor<4>| {
        let layer = layer(4, &device);
        for step in 0..3 {
            let values = support::values(shape.iter().product(), step);
            let input = Tensor::<1>::from_floats(&values[..], &device).reshape(shape);
            forward(&layer, input * (step as f32 + 0.5) + 2.0);
        }
        let valid = layer.valid();
        let input = Tensor::<4>::ones(shape, &Device::flex());
        vec![
            floats(layer.running_mean.value_sync()),
            floats(layer.running_var.value_sync()),
            floats(forward(&valid, input)),
        ]
    };
    let fused = |layer: &BatchNorm, input| {
        nn::batch_norm(layer, input, Then::activate(Activation::Identity))
    };
    let found = trained(&fused);
    close(&found, &trained(&|layer, input| layer.forward(input)));
    close(&found, &with_burn(|| trained(&fused)));
}

#[test]
fn a_frozen_layer_normalises_by_its_running_statistics() {
    let device = Device::flex().autodiff();
    let shape = [3, 2, 5, 2];
    let frozen = layer(2, &device).freeze();
    let found = |forward: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        run(&device, &[tracked(&shape)], |t| {
            forward(t[0].clone().reshape(shape))
        })
    };
    let fused =
        found(&|input| nn::batch_norm(&frozen, input, Then::activate(Activation::Identity)));
    close(&fused, &found(&|input| frozen.forward(input)));
    assert_eq!(floats(frozen.running_mean.value_sync()), [0.0, 0.0]);
}
