//! GELU against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::Tensor;
use koala_ops::gelu;
use proptest::prelude::*;
use support::{agree, tracked};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_burns(count in 0usize..100, scale in 0.1..20.0f32) {
        agree(&[tracked(&[count])], |t| gelu(t[0].clone() * scale));
    }
}

#[test]
fn large_ones_and_transposed_ones_agree_too() {
    agree(&[tracked(&[300, 257])], |t| {
        let values: Tensor<2> = t[0].clone().reshape([300, 257]);
        gelu(values.clone().transpose() * 4.0) * values.transpose()
    });
}

#[test]
fn ends_are_0_and_the_value() {
    let device = burn::tensor::Device::flex();
    let values = Tensor::<1>::from_floats([-1e9, -30.0, 0.0, 30.0, 1e9], &device);
    assert_eq!(support::floats(gelu(values)), [0.0, 0.0, 0.0, 30.0, 1e9]);
}
