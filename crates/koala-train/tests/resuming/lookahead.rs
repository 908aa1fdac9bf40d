//! Lookahead around every optimizer.

use burn::module::Module;
use koala_train::optimizers::{Optimizer, OptimizerSpec, SgdSpec};
use koala_train::run::{weights_from_bytes, weights_to_bytes};
use proptest::prelude::*;

use crate::support::{ahead, bits, cnn, mlp, optimizer, specs, steps};

/// All weights, one after the other.
fn values<M: Module>(model: &M) -> Vec<f32> {
    let bytes = weights_to_bytes(model).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut named: Vec<_> = tensors.tensors();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let numbers = named.iter().flat_map(|(_, view)| view.data().as_chunks().0);
    numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

#[test]
fn it_goes_on_to_the_bit() {
    for spec in specs() {
        // Three steps a cycle: the stop is in the middle of one.
        let lookahead = [3.0, 0.5];
        let model = cnn(1);
        let mut whole = ahead(&spec, lookahead, &model);
        let model = steps(model, &mut *whole, 0..4);
        let (weights, state) = bits(&model, &*whole);
        let model = steps(model, &mut *whole, 4..10);
        let other = weights_from_bytes(cnn(2), &weights).unwrap();
        let mut resumed = ahead(&spec, lookahead, &other);
        resumed.restore(&state, &other).unwrap();
        assert_eq!(bits(&other, &*resumed), (weights, state), "{spec:?}");
        let other = steps(other, &mut *resumed, 4..10);
        assert_eq!(bits(&model, &*whole), bits(&other, &*resumed), "{spec:?}");
        let tested = |optimizer: &dyn Optimizer<_>, model| {
            weights_to_bytes(&optimizer.evaluation(model).unwrap()).unwrap()
        };
        assert_eq!(tested(&*whole, &model), tested(&*resumed, &other));
    }
}

#[test]
fn a_share_of_one_or_an_end_out_of_reach_changes_nothing() {
    for spec in specs() {
        let model = cnn(1);
        let mut plain = optimizer(&spec, &model);
        let expected = weights_to_bytes(&steps(model, &mut *plain, 0..6)).unwrap();
        for lookahead in [[2.0, 1.0], [7.0, 0.5], [0.0, 0.5]] {
            let model = cnn(1);
            let mut around = ahead(&spec, lookahead, &model);
            let model = steps(model, &mut *around, 0..6);
            assert_eq!(
                weights_to_bytes(&model).unwrap(),
                expected,
                "{spec:?} {lookahead:?}"
            );
        }
    }
}

#[test]
fn slow_weights_are_the_papers_formula() {
    // Without memory the fast weights depend on where they start alone.
    let spec = OptimizerSpec::Sgd(SgdSpec {
        momentum: 0.0,
        ..SgdSpec::default()
    });
    let model = mlp(1);
    let mut around = ahead(&spec, [2.0, 0.25], &model);
    let mut slow = mlp(1);
    let mut slow_values = values(&slow);
    let mut fast = model;
    for cycle in 0..3 {
        let range = 2 * cycle..2 * cycle + 2;
        let mut plain = optimizer(&spec, &slow);
        let ahead = values(&steps(slow, &mut *plain, range.clone()));
        for (slow, fast) in slow_values.iter_mut().zip(ahead) {
            *slow += 0.25 * (fast - *slow);
        }
        fast = steps(fast, &mut *around, range.start..range.start + 1);
        // In the middle of a cycle the slow weights are tested, not the fast ones.
        assert_ne!(values(&around.evaluation(&fast).unwrap()), values(&fast));
        fast = steps(fast, &mut *around, range.start + 1..range.end);
        assert_eq!(values(&fast), slow_values, "cycle {cycle}");
        assert_eq!(values(&around.evaluation(&fast).unwrap()), slow_values);
        slow = weights_from_bytes(mlp(1), &weights_to_bytes(&fast).unwrap()).unwrap();
    }
}

#[test]
fn states_that_do_not_fit_are_refused() {
    for spec in specs() {
        let model = mlp(1);
        let mut around = ahead(&spec, [2.0, 0.5], &model);
        let model = steps(model, &mut *around, 0..3);
        let state = around.state(&model).unwrap();
        assert!(optimizer(&spec, &model).restore(&state, &model).is_err());
        let plain = optimizer(&spec, &model).state(&model).unwrap();
        assert!(around.restore(&plain, &model).is_err());
        assert_eq!(around.state(&model).unwrap(), state);
        let other = cnn(1);
        assert!(
            ahead(&spec, [2.0, 0.5], &other)
                .restore(&state, &other)
                .is_err()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_cut_off_or_changed_is_refused(which in 0..OptimizerSpec::NAMES.len(), share in 0.0..1.0f64, byte: u8) {
        let spec = OptimizerSpec::named(OptimizerSpec::NAMES[which]).unwrap();
        let model = mlp(1);
        let mut around = ahead(&spec, [2.0, 0.5], &model);
        let model = steps(model, &mut *around, 0..3);
        let mut state = around.state(&model).unwrap();
        let at = (state.len() as f64 * share) as usize;
        prop_assert!(around.restore(&state[..at], &model).is_err());
        state[at] = byte;
        let _ = around.restore(&state, &model);
    }
}
