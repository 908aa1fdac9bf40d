//! A run goes on from its stored state to the bit, in either phase, and damaged states are refused.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::{DenseState, Koala, Real};
use koala_filter::{Config, Error, Observation, Phase, STATE_VERSION};
use proptest::prelude::*;
use serde_json::Value;
use support::{Problem, configs, lengths, methods, run, slices, step};

fn stored_and_read_again<F: Real>(optimizer: &Koala<F>) -> Koala<F> {
    let json = serde_json::to_string(&optimizer.state()).unwrap();
    Koala::from_state(serde_json::from_str(&json).unwrap()).unwrap()
}

fn resumes_after_update<F: Real>(config: &Config, problem: &Problem, at: u64) {
    let mut x = problem.start::<F>();
    let mut optimizer = Koala::<F>::new(config.clone(), &problem.lengths).unwrap();
    run(&mut optimizer, problem, &mut x, 0..at);
    let mut resumed = stored_and_read_again(&optimizer);
    assert_eq!(resumed, optimizer);
    assert_eq!(resumed.filter().phase(), Phase::Updated);
    let mut y = x.clone();
    let straight = run(&mut optimizer, problem, &mut x, at..at + 10);
    let again = run(&mut resumed, problem, &mut y, at..at + 10);
    assert_eq!((x, straight), (y, again));
    assert_eq!(resumed.state(), optimizer.state());
}

fn resumes_after_predict<F: Real>(config: &Config, problem: &Problem, at: u64) {
    let mut x = problem.start::<F>();
    let mut optimizer = Koala::<F>::new(config.clone(), &problem.lengths).unwrap();
    run(&mut optimizer, problem, &mut x, 0..at);
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let mut resumed = stored_and_read_again(&optimizer);
    assert_eq!(resumed.filter().phase(), Phase::Predicted);
    let mut y = x.clone();
    let finish = |optimizer: &mut Koala<F>, x: &mut Vec<Vec<F>>| {
        let gradients = problem.gradients(at, x);
        let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
        let observation = Observation::from_losses(&problem.losses(at));
        optimizer
            .update(&mut slices(x), &gradients, &observation)
            .unwrap();
        run(optimizer, problem, x, at + 1..at + 10)
    };
    let straight = finish(&mut optimizer, &mut x);
    let again = finish(&mut resumed, &mut y);
    assert_eq!((x, straight), (y, again));
    assert_eq!(resumed.state(), optimizer.state());
}

proptest! {
    #[test]
    fn a_resumed_run_is_the_same_to_the_bit_in_either_phase(
        config in configs(), lengths in lengths(), seed: u64, at in 0_u64..15,
    ) {
        let problem = Problem::new(seed, &lengths);
        resumes_after_update::<f64>(&config, &problem, at);
        resumes_after_update::<f32>(&config, &problem, at);
        resumes_after_predict::<f64>(&config, &problem, at);
        resumes_after_predict::<f32>(&config, &problem, at);
    }
}

#[test]
fn a_resumed_optimizer_remembers_its_phase() {
    for config in methods() {
        let mut x = vec![vec![1.0_f64; 3]];
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let mut resumed = stored_and_read_again(&optimizer);
        assert!(matches!(
            resumed.predict(&mut slices(&mut x)),
            Err(Error::OutOfPhase { .. })
        ));
    }
}

#[test]
fn counters_survive_storage() {
    for config in methods() {
        let mut x = vec![vec![1.0_f64; 3]];
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        for loss in [f64::NAN, f64::NAN, 1.0, f64::NAN] {
            optimizer.predict(&mut slices(&mut x)).unwrap();
            optimizer
                .update(
                    &mut slices(&mut x),
                    &[&[1.0, 0.0, 0.0][..]],
                    &Observation::from_mean(loss),
                )
                .unwrap();
        }
        let state = stored_and_read_again(&optimizer).state().filter;
        assert_eq!(
            (state.step, state.missing_in_a_row, state.missing_in_all),
            (4, 1, 3)
        );
    }
}

/// A state of a run, as JSON, to be damaged.
fn json_state(config: Config) -> Value {
    let problem = Problem::new(1, &[3, 2]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
    step(&mut optimizer, &problem, &mut x, 0);
    serde_json::to_value(optimizer.state()).unwrap()
}

fn read(state: Value) -> Result<Koala<f64>, Error> {
    Koala::from_state(serde_json::from_value::<DenseState<f64>>(state).unwrap())
}

#[test]
fn a_state_of_another_version_is_refused_with_both_versions() {
    for config in methods() {
        for version in [0, STATE_VERSION + 1] {
            let mut state = json_state(config.clone());
            state["filter"]["version"] = version.into();
            assert_eq!(
                read(state).unwrap_err(),
                Error::UnsupportedVersion {
                    found: version,
                    supported: STATE_VERSION
                }
            );
        }
    }
}

#[test]
fn memory_that_does_not_fit_the_parameters_is_damage() {
    for config in methods().into_iter().skip(1) {
        let mut shorter = json_state(config.clone());
        shorter["memory"][1]["first"].as_array_mut().unwrap().pop();
        let error = read(shorter).unwrap_err();
        assert!(
            matches!(&error, Error::DamagedState { what } if what.contains("'1'")),
            "{error}"
        );
        let mut fewer = json_state(config);
        fewer["memory"].as_array_mut().unwrap().pop();
        let error = read(fewer).unwrap_err();
        assert!(
            matches!(&error, Error::DamagedState { what } if what.contains("memory of 1 parameters")),
            "{error}"
        );
    }
}

#[test]
fn memory_that_is_not_finite_is_damage() {
    for config in methods().into_iter().skip(1) {
        let mut state = Koala::<f32>::new(config, &[2, 3]).unwrap().state();
        state.memory[1].first[2] = f32::NAN;
        let error = Koala::from_state(state).unwrap_err();
        assert_eq!(
            error.to_string(),
            "optimizer state is damaged: memory of '1' has a number that is not finite; restore it from an earlier checkpoint"
        );
    }
}

#[test]
fn numbers_that_no_filter_has_are_damage_and_named() {
    let cases = [
        ("koala-v", "covariance", -1.0, "P is -1"),
        ("koala-m", "p11", -1.0, "p11 is -1"),
        ("koala-m", "p22", -1.0, "p22 is -1"),
        ("koala-m", "p12", -1.0, "p12 is -1"),
        ("koala-a", "p12", -1.0, "p12 is -1"),
        ("koala-m", "position_noise", -1.0, "q_x is -1"),
    ];
    for (name, field, value, message) in cases {
        let config = methods().into_iter().find(|it| it.name() == name).unwrap();
        let mut state = json_state(config);
        let slot = &mut state["filter"]["method"][name][field];
        assert!(slot.is_number(), "{name}.{field}");
        *slot = value.into();
        let error = read(state).unwrap_err();
        assert!(
            matches!(&error, Error::DamagedState { what } if what.contains(message)),
            "{error}"
        );
    }
    let mut state = json_state(methods()[0].clone());
    state["filter"]["measurement_noise"] = (-1.0).into();
    assert!(matches!(read(state), Err(Error::DamagedState { what }) if what.contains("R is -1")));
}

#[test]
fn a_koala_pp_state_with_another_number_of_blocks_is_damage() {
    let config = methods().into_iter().find(|it| it.name() == "koala-pp");
    let mut state = json_state(config.unwrap());
    state["filter"]["method"]["koala-pp"]["innovation_variances"]
        .as_array_mut()
        .unwrap()
        .pop();
    let error = read(state).unwrap_err();
    assert!(
        matches!(&error, Error::DamagedState { what } if what.contains("S of 1 blocks, but 2")),
        "{error}"
    );
}

#[test]
fn an_invalid_configuration_in_a_state_names_its_field() {
    let mut state = json_state(methods()[0].clone());
    state["filter"]["method"]["koala-v"]["config"]["process-noise"] = (-1.0).into();
    assert!(matches!(
        read(state),
        Err(Error::InvalidField { field, .. }) if field == "process-noise"
    ));
}

#[test]
fn a_parameter_in_a_group_that_is_not_there_is_named() {
    let mut state = json_state(methods()[0].clone());
    state["filter"]["layout"]["parameters"][1]["group"] = 7.into();
    assert!(matches!(
        read(state),
        Err(Error::InvalidField { field, value, .. }) if field == "parameter '1': group" && value == "7"
    ));
}
