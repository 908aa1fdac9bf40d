//! Dropout against a product with its mask.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{DType, Device, Tensor};
use koala_ops::{DropoutMask, add_dropped, dropout, with_burn};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use support::{agree, bits, constant, floats, run, tracked};

fn mask(place: u64, probability: f64) -> DropoutMask {
    DropoutMask::new(ChaCha8Rng::from_seed([5; 32]), place, probability).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_burns(count in 0usize..3000, place in 0..100u64, probability in 0.01..1.1f64) {
        let mask = mask(place, probability);
        agree(&[tracked(&[count])], |t| dropout(t[0].clone(), &mask));
        let made = [constant(&[count]), tracked(&[count])];
        agree(&made, |t| add_dropped(t[0].clone(), t[1].clone(), &mask));
    }
}

/// Nothing but a choice and a product is done to a value: not even a rounding differs.
#[test]
fn bits_are_those_of_a_product_with_the_mask() {
    let mask = mask(3, 0.3);
    let made = [tracked(&[70_000]), tracked(&[70_000])];
    let forward = |t: &[Tensor<1>]| {
        let values: Tensor<2> = t[0].clone().reshape([350, 200]).transpose();
        let base = t[1].clone().reshape([200, 350]);
        dropout(add_dropped(base, values.clone(), &mask), &mask) * values
    };
    let device = Device::flex().autodiff();
    let found = run(&device, &made, forward);
    assert_eq!(
        bits(&found),
        bits(&with_burn(|| run(&device, &made, forward)))
    );
    agree(&made, forward);
}

#[test]
fn each_place_has_its_own_draws() {
    let ones = || Tensor::<1>::ones([1000], &Device::flex());
    let of = |place| floats(dropout(ones(), &mask(place, 0.5)));
    assert_eq!(of(10), of(10));
    assert_ne!(of(10), of(11));
    assert_eq!(of(10)[1..], of(11)[..999]);
}

#[test]
fn other_numbers_are_dropped_by_the_same_draws() {
    let device = Device::flex();
    let values = Tensor::<1>::ones([1000], &device);
    let mask = mask(3, 0.5);
    let wide = dropout(values.clone().cast(DType::F64), &mask);
    assert_eq!(wide.dtype(), DType::F64);
    let found = floats(wide.cast(DType::F32));
    assert_eq!(found, floats(dropout(values, &mask)));
}

#[test]
fn what_is_given_stays_as_it_is() {
    let values = Tensor::<1>::ones([100], &Device::flex());
    let dropped = dropout(values.clone(), &mask(0, 0.5));
    assert_eq!(floats(values), [1.0; 100]);
    assert!(floats(dropped).iter().all(|v| *v == 0.0 || *v == 2.0));
}

#[test]
fn shapes_that_differ_are_broadcast_as_burn_does() {
    let mask = mask(0, 0.5);
    agree(&[tracked(&[5]), tracked(&[4, 5])], |t| {
        let base = t[0].clone().reshape([1, 5]);
        add_dropped(base, t[1].clone().reshape([4, 5]), &mask)
    });
}
