//! Ten steps are four steps, everything stored, another program's network, and six steps.

use koala_models::Classifier;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{weights_from_bytes, weights_to_bytes};

use crate::support::{bits, cnn, mlp, optimizer, remembers, specs, steps};

fn resumed_is_uninterrupted<M: Classifier>(made: fn(u64) -> M) {
    for spec in specs() {
        let model = made(1);
        let mut whole = optimizer(&spec, &model);
        let model = steps(model, &mut *whole, 0..4);
        let (weights, state) = bits(&model, &*whole);
        assert_eq!(
            bits(&model, &*whole),
            (weights.clone(), state.clone()),
            "{spec:?}: not the same bytes"
        );
        let model = steps(model, &mut *whole, 4..10);

        // Other identities, other weights before they are read.
        let other = weights_from_bytes(made(2), &weights).unwrap();
        let mut resumed = optimizer(&spec, &other);
        resumed.restore(&state, &other).unwrap();
        assert_eq!(
            bits(&other, &*resumed),
            (weights, state),
            "{spec:?}: not restored"
        );
        let other = steps(other, &mut *resumed, 4..10);
        assert_eq!(
            bits(&model, &*whole),
            bits(&other, &*resumed),
            "{spec:?}: not the same trajectory"
        );
    }
}

#[test]
fn fully_connected_networks_go_on_to_the_bit() {
    resumed_is_uninterrupted(mlp);
}

#[test]
fn batch_normalised_networks_go_on_to_the_bit() {
    resumed_is_uninterrupted(cnn);
}

#[test]
fn the_state_is_needed() {
    for spec in specs() {
        let model = mlp(1);
        let mut whole = optimizer(&spec, &model);
        let model = steps(model, &mut *whole, 0..4);
        let copy = weights_from_bytes(mlp(2), &weights_to_bytes(&model).unwrap()).unwrap();
        let mut fresh = optimizer(&spec, &copy);
        let model = steps(model, &mut *whole, 4..6);
        let copy = steps(copy, &mut *fresh, 4..6);
        let same = weights_to_bytes(&model).unwrap() == weights_to_bytes(&copy).unwrap();
        assert_eq!(same, !remembers(&spec), "{spec:?}");
    }
}

#[test]
fn a_state_before_the_first_step_is_a_beginning() {
    for spec in specs() {
        let model = cnn(1);
        let (weights, state) = bits(&model, &*optimizer(&spec, &model));
        let mut whole = optimizer(&spec, &model);
        let model = steps(model, &mut *whole, 0..3);
        let other = weights_from_bytes(cnn(2), &weights).unwrap();
        let mut resumed = optimizer(&spec, &other);
        resumed.restore(&state, &other).unwrap();
        let other = steps(other, &mut *resumed, 0..3);
        assert_eq!(bits(&model, &*whole), bits(&other, &*resumed), "{spec:?}");
    }
}

#[test]
fn storing_changes_nothing() {
    for spec in specs() {
        let (quiet, watched) = (cnn(1), cnn(1));
        let mut one = optimizer(&spec, &quiet);
        let quiet = steps(quiet, &mut *one, 0..4);
        let mut two = optimizer(&spec, &watched);
        let mut watched = watched;
        for step in 0..4 {
            watched = steps(watched, &mut *two, step..step + 1);
            bits(&watched, &*two);
        }
        assert_eq!(bits(&quiet, &*one), bits(&watched, &*two), "{spec:?}");
    }
}

#[test]
fn memories_are_what_the_methods_are_known_for() {
    for (name, per_parameter) in [
        ("koala-v", 0),
        ("koala-m", 8),
        ("koala-pp", 8),
        ("sgd", 4),
        ("adam", 8),
        ("adamw", 8),
        ("sps-max", 0),
        ("momo", 4),
        ("momo-adam", 8),
        ("prodigy", 16),
        ("schedule-free-sgd", 4),
        ("schedule-free-adamw", 8),
        ("schedule-free-plus", 12),
        ("ngn-m", 4),
        ("ngn-mdv1", 8),
        ("lion", 4),
    ] {
        let model = cnn(1);
        let parameters = koala_models::trainable_parameters(&model) as u64;
        let spec = OptimizerSpec::named(name).unwrap();
        let mut optimizer = optimizer(&spec, &model);
        steps(model, &mut *optimizer, 0..2);
        let found = optimizer.memory_bytes().unwrap();
        assert_eq!(found, per_parameter * parameters, "{name}");
    }
    // Muon's, of this network's two inner matrices, 3 to 5 channels by 3 x 3 and 20 to 7, one tensor; of all else two.
    let model = cnn(1);
    let parameters = koala_models::trainable_parameters(&model) as u64;
    let mut muon = optimizer(&OptimizerSpec::named("muon").unwrap(), &model);
    steps(model, &mut *muon, 0..2);
    let hidden = 3 * 5 * 9 + 20 * 7;
    assert_eq!(muon.memory_bytes().unwrap(), 8 * parameters - 4 * hidden);
}
