//! The fully connected layer against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{Tensor, s};
use koala_ops::{Activation, linear};
use proptest::prelude::*;
use support::{Made, agree, constant, tracked};

const ACTIVATIONS: [Activation; 2] = [Activation::Identity, Activation::Relu];

fn layer(
    [rows, inputs, outputs]: [usize; 3],
    activation: Activation,
) -> impl Fn(&[Tensor<1>]) -> Tensor<2> + Sync {
    move |t| {
        let bias = t.get(2).cloned();
        let weight = t[1].clone().reshape([inputs, outputs]);
        linear(
            t[0].clone().reshape([rows, inputs]),
            weight,
            bias,
            activation,
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_burns(
        rows in 0usize..70, inputs in 1usize..40, outputs in 1usize..40, biased: bool,
        wanted in [any::<bool>(), any::<bool>(), any::<bool>()], which in 0usize..2,
    ) {
        let shapes = [vec![rows, inputs], vec![inputs, outputs], vec![outputs]];
        let made: Vec<Made> = shapes
            .iter()
            .zip(wanted)
            .take(2 + usize::from(biased))
            .map(|(shape, wanted)| if wanted { tracked(shape) } else { constant(shape) })
            .collect();
        agree(&made, layer([rows, inputs, outputs], ACTIVATIONS[which]));
    }
}

#[test]
fn large_layers_agree_too() {
    let sizes @ [rows, inputs, outputs] = [300, 257, 129];
    for activation in ACTIVATIONS {
        let made = [
            tracked(&[rows, inputs]),
            tracked(&[inputs, outputs]),
            tracked(&[outputs]),
        ];
        agree(&made, layer(sizes, activation));
    }
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let made = [tracked(&[6, 5, 4]), tracked(&[7, 6]), tracked(&[9])];
    agree(&made, |t| {
        let input: Tensor<3> = t[0].clone().reshape([6, 5, 4]).permute([2, 1, 0]);
        let weight = t[1].clone().reshape([7, 6]).transpose();
        linear(
            input,
            weight,
            Some(t[2].clone().slice(s![1..8])),
            Activation::Relu,
        )
    });
}

#[test]
fn what_others_hold_of_results_and_inputs_stays_as_it_is() {
    let made = [tracked(&[6, 4]), tracked(&[4, 4])];
    agree(&made, |t| {
        let (input, weight) = (t[0].clone().reshape([6, 4]), t[1].clone().reshape([4, 4]));
        let hidden = linear(input.clone(), weight.clone(), None, Activation::Relu);
        let twice: Tensor<2> = linear(hidden.clone(), weight, None, Activation::Relu);
        twice + hidden * input
    });
}
