//! Layer norm against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::Tensor;
use koala_ops::layer_norm;
use proptest::prelude::*;
use support::{Made, agree, constant, tracked};

fn norm([rows, columns]: [usize; 2], epsilon: f64) -> impl Fn(&[Tensor<1>]) -> Tensor<2> + Sync {
    move |t| {
        let values = t[0].clone().reshape([rows, columns]);
        layer_norm(values, t[1].clone(), t.get(2).cloned(), epsilon)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_burns(
        rows in 0usize..70, columns in 2usize..70, biased: bool,
        wanted in [any::<bool>(), any::<bool>(), any::<bool>()],
    ) {
        let shapes = [vec![rows, columns], vec![columns], vec![columns]];
        let made: Vec<Made> = shapes
            .iter()
            .zip(wanted)
            .take(2 + usize::from(biased))
            .map(|(shape, wanted)| if wanted { tracked(shape) } else { constant(shape) })
            .collect();
        // Larger than usual, so that where it stands shows.
        agree(&made, norm([rows, columns], 0.1));
    }
}

#[test]
fn large_ones_agree_too() {
    let made = [tracked(&[1030, 200]), tracked(&[200]), tracked(&[200])];
    agree(&made, norm([1030, 200], 1e-5));
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let made = [tracked(&[6, 5, 4]), tracked(&[6]), tracked(&[6])];
    agree(&made, |t| {
        let values: Tensor<3> = t[0].clone().reshape([6, 5, 4]).permute([2, 1, 0]);
        layer_norm(values.clone(), t[1].clone(), Some(t[2].clone()), 1e-5) + values
    });
}

#[test]
fn rows_of_one_are_their_bias() {
    let device = burn::tensor::Device::flex();
    let values = Tensor::<2>::full([3, 1], 7.0, &device);
    let parameter = |value| Tensor::<1>::full([1], value, &device);
    let found = layer_norm(values, parameter(5.0), Some(parameter(2.0)), 1e-5);
    assert_eq!(support::floats(found), [2.0; 3]);
}
