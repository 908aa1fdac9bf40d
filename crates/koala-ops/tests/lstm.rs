//! An LSTM against that of Burn's own operations.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{Device, Tensor, s};
use koala_ops::{LstmWeights, lstm};
use proptest::prelude::*;
use support::{Made, agree, constant, floats, tracked};

/// What of the results the loss depends on.
#[derive(Clone, Copy, Debug)]
struct Asked {
    outputs: bool,
    hidden: bool,
    cell: bool,
}

const ALL: Asked = Asked {
    outputs: true,
    hidden: true,
    cell: true,
};

fn shapes([time, batch, inputs, hidden]: [usize; 4]) -> [Vec<usize>; 7] {
    [
        vec![time, batch, inputs],
        vec![inputs, 4 * hidden],
        vec![4 * hidden],
        vec![hidden, 4 * hidden],
        vec![4 * hidden],
        vec![batch, hidden],
        vec![batch, hidden],
    ]
}

fn made(sizes: [usize; 4], wanted: [bool; 7]) -> Vec<Made> {
    let made = |(shape, wanted): (&Vec<usize>, bool)| {
        if wanted {
            tracked(shape)
        } else {
            constant(shape)
        }
    };
    shapes(sizes).iter().zip(wanted).map(made).collect()
}

/// A layer; its results side by side, times 0 where the loss is not to depend on them.
fn layer(
    [time, batch, inputs, hidden]: [usize; 4],
    asked: Asked,
) -> impl Fn(&[Tensor<1>]) -> Tensor<1> + Sync {
    // As networks have them: others make rounding errors grow with time.
    let bound = 1.0 / (hidden as f32).sqrt();
    move |t| {
        let weights = LstmWeights {
            input_weight: t[1].clone().reshape([inputs, 4 * hidden]) * bound,
            input_bias: t[2].clone(),
            hidden_weight: t[3].clone().reshape([hidden, 4 * hidden]) * bound,
            hidden_bias: t[4].clone(),
        };
        let state = [5, 6].map(|n: usize| t[n].clone().reshape([batch, hidden]));
        let input = t[0].clone().reshape([time, batch, inputs]);
        let (outputs, [last_hidden, last_cell]) = lstm(input, weights, state);
        let or_detached = |tensor: Tensor<1>, asked| {
            if asked { tensor } else { tensor.detach() }
        };
        Tensor::cat(
            vec![
                or_detached(outputs.flatten(0, 2), asked.outputs),
                or_detached(last_hidden.flatten(0, 1), asked.hidden),
                or_detached(last_cell.flatten(0, 1), asked.cell),
            ],
            0,
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_burns(
        time in 1usize..9, batch in 1usize..40, inputs in 1usize..20, hidden in 1usize..20,
        wanted in prop::array::uniform7(any::<bool>()), asked in prop::array::uniform3(any::<bool>()),
    ) {
        let [outputs, hidden_asked, cell] = asked;
        let asked = Asked { outputs: outputs || !(hidden_asked || cell), hidden: hidden_asked, cell };
        let sizes = [time, batch, inputs, hidden];
        agree(&made(sizes, wanted), layer(sizes, asked));
    }
}

#[test]
fn sizes_of_networks_agree_too() {
    let sizes = [20, 32, 200, 200];
    agree(&made(sizes, [true; 7]), layer(sizes, ALL));
}

#[test]
fn empty_ones_are_no_harm() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        for [time, batch] in [[0, 3], [3, 0], [0, 0]] {
            let weights = LstmWeights {
                input_weight: Tensor::ones([2, 16], &device),
                input_bias: Tensor::ones([16], &device),
                hidden_weight: Tensor::ones([4, 16], &device),
                hidden_bias: Tensor::ones([16], &device),
            };
            let state = [1.0, 2.0].map(|value| Tensor::full([batch, 4], value, &device));
            let input = Tensor::zeros([time, batch, 2], &device);
            let (outputs, [hidden, cell]) = lstm(input, weights, state);
            assert_eq!(outputs.dims(), [time, batch, 4]);
            assert_eq!(floats(hidden), vec![1.0; 4 * batch]);
            assert_eq!(floats(cell), vec![2.0; 4 * batch]);
        }
    }
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let sizes @ [time, batch, inputs, hidden] = [4, 3, 5, 6];
    agree(&made(sizes, [true; 7]), |t| {
        let weights = LstmWeights {
            input_weight: t[1].clone().reshape([4 * hidden, inputs]).transpose(),
            input_bias: t[2].clone().flip([0]),
            hidden_weight: t[3].clone().reshape([4 * hidden, hidden]).transpose(),
            hidden_bias: t[4].clone(),
        };
        let state = [5, 6].map(|n: usize| t[n].clone().reshape([hidden, batch]).transpose());
        let input: Tensor<3> = t[0]
            .clone()
            .reshape([inputs, batch, time])
            .permute([2, 1, 0]);
        let (outputs, _) = lstm(input, weights, state);
        outputs.slice(s![1..3])
    });
}

#[test]
fn two_windows_are_one_with_the_state_carried() {
    let [time, batch, inputs, hidden] = [5, 3, 4, 6];
    let shapes = made([time, batch, inputs, hidden], [true; 7]);
    let through = |t: &[Tensor<1>], cuts: &[usize]| {
        let weights = LstmWeights {
            input_weight: t[1].clone().reshape([inputs, 4 * hidden]),
            input_bias: t[2].clone(),
            hidden_weight: t[3].clone().reshape([hidden, 4 * hidden]),
            hidden_bias: t[4].clone(),
        };
        let mut state = [5, 6].map(|n: usize| t[n].clone().reshape([batch, hidden]));
        let input: Tensor<3> = t[0].clone().reshape([time, batch, inputs]);
        let mut outputs = Vec::new();
        for cut in cuts.windows(2) {
            let part = input.clone().narrow(0, cut[0], cut[1] - cut[0]);
            let (output, after) = lstm(part, weights.clone(), state);
            outputs.push(output);
            state = after;
        }
        Tensor::cat(outputs, 0)
    };
    let device = Device::flex().autodiff();
    let whole = support::run(&device, &shapes, |t| through(t, &[0, 5]));
    let parts = support::run(&device, &shapes, |t| through(t, &[0, 2, 3, 5]));
    support::close(&parts, &whole);
}
