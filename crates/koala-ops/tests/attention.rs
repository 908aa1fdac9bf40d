//! Attention against that of Burn's own operations.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{Device, Tensor};
use koala_ops::{DropoutMask, Sight, attention};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use support::{agree, floats, tracked};

fn mask(probability: f64) -> Option<DropoutMask> {
    DropoutMask::new(ChaCha8Rng::from_seed([5; 32]), 7, probability)
}

fn check([batch, time, heads, size]: [usize; 4], sight: Sight, probability: f64) {
    let columns = 3 * heads * size;
    let mask = mask(probability);
    // Larger than usual, so that the probabilities differ.
    agree(&[tracked(&[batch, time, columns])], |t| {
        let packed = t[0].clone().reshape([batch, time, columns]) * 3.0;
        attention(packed, heads, sight, mask.as_ref())
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn agrees_with_burns(
        batch in 1usize..5, time in 1usize..70, heads in 1usize..4, size in 1usize..20,
        before: bool, dropped: bool,
    ) {
        let sight = if before { Sight::Before } else { Sight::All };
        check([batch, time, heads, size], sight, if dropped { 0.3 } else { 0.0 });
    }
}

#[test]
fn sizes_of_networks_and_single_ones_agree_too() {
    for sight in [Sight::Before, Sight::All] {
        for probability in [0.0, 0.2, 1.0] {
            check([3, 64, 2, 100], sight, probability);
            check([1, 1, 1, 1], sight, probability);
            check([2, 33, 1, 7], sight, probability);
        }
    }
}

#[test]
fn empty_ones_are_no_harm() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        for [batch, time] in [[0, 3], [3, 0], [0, 0]] {
            let packed = Tensor::<3>::zeros([batch, time, 12], &device);
            let found = attention(packed, 2, Sight::Before, mask(0.3).as_ref());
            assert_eq!(found.dims(), [batch, time, 4]);
        }
    }
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let mask = mask(0.4);
    agree(&[tracked(&[12, 5, 3])], |t| {
        let packed: Tensor<3> = t[0].clone().reshape([12, 5, 3]).permute([2, 1, 0]);
        attention(packed, 2, Sight::Before, mask.as_ref())
    });
}

/// Scores that leave 32-bit floats' exponentials many times over.
#[test]
fn large_scores_stay_finite() {
    for sight in [Sight::Before, Sight::All] {
        agree(&[tracked(&[2, 40, 24])], |t| {
            let packed = t[0].clone().reshape([2, 40, 24]);
            attention(packed * 300.0, 2, sight, None)
        });
    }
}

#[test]
fn no_position_sees_a_later_one() {
    let device = Device::flex();
    let packed = Tensor::<1>::from_floats(&support::values(40 * 12, 0)[..], &device);
    let packed: Tensor<3> = packed.reshape([1, 40, 12]);
    let of = |packed| attention(packed, 2, Sight::Before, None);
    let changed = packed.clone().slice_fill([0..1, 35..40, 0..12], 50.0);
    let (found, expected) = (of(changed), of(packed));
    let before = |t: Tensor<3>| floats(t.slice([0..1, 0..35, 0..4]));
    assert_eq!(before(found.clone()), before(expected));
    let after = floats(found.slice([0..1, 35..40, 0..4]));
    assert!(after.iter().all(|v| *v > 10.0), "{after:?}");
}
