//! The largest of each window against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};
use koala_ops::{max_pool2d, with_burn};
use proptest::prelude::*;
use support::{agree, constant, floats, tracked};

fn pool(
    shape: [usize; 4],
    options: MaxPoolOptions<2>,
) -> impl Fn(&[Tensor<1>]) -> Tensor<4> + Sync {
    move |t| max_pool2d(t[0].clone().reshape(shape), options.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn windows_of_two_agree_with_burns(shape in [1usize..4, 1usize..5, 2usize..40, 2usize..40]) {
        agree(&[tracked(&shape)], pool(shape, MaxPoolOptions::new([2, 2])));
    }

    #[test]
    fn other_windows_are_burns(
        height in 4usize..9, kernel in [2usize..4, 2usize..4], stride in [1usize..3, 1usize..3], padding in 0usize..2,
    ) {
        let shape = [2, 3, height, 7];
        let options = MaxPoolOptions::new(kernel).with_stride(stride).with_padding([padding, padding]);
        agree(&[tracked(&shape)], pool(shape, options));
    }
}

#[test]
fn images_without_a_gradient_are_taken() {
    let shape = [2, 3, 4, 6];
    agree(
        &[constant(&shape)],
        pool(shape, MaxPoolOptions::new([2, 2])),
    );
}

/// Ties, and what is not a number, go where they go with Burn.
#[test]
fn equal_pixels_and_no_numbers_are_as_with_burn() {
    let device = Device::flex().autodiff();
    let (nan, low) = (f32::NAN, f32::NEG_INFINITY);
    let values = [
        [1.0, 1.0, nan, 2.0, low, low],
        [1.0, 1.0, 3.0, nan, low, low],
        [0.0, -0.0, 5.0, 5.0, 2.0, 7.0],
        [0.0, 0.0, 4.0, 5.0, 7.0, 7.0],
    ];
    let found = || {
        let input = Tensor::<2>::from_data(values, &device).require_grad();
        let results = max_pool2d(
            input.clone().reshape([1, 1, 4, 6]),
            MaxPoolOptions::new([2, 2]),
        );
        let weights = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &device);
        let gradients = (results.clone() * weights.reshape([1, 1, 2, 3]))
            .sum()
            .backward();
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        [
            bits(floats(results)),
            bits(floats(input.grad(&gradients).unwrap())),
        ]
    };
    assert_eq!(found(), with_burn(found));
}
