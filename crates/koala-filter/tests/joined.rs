//! An update joined with the next predict is the two, to the bit.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::{Koala, Real};
use koala_filter::{Config, Error, Group, KoalaAConfig, Layout, Observation, Phase, StepReport};
use proptest::prelude::*;
use support::{Problem, configs, lengths, methods, slices};

/// The losses of a step: now and then one that is not finite, so that the measurement is missing.
fn observation(problem: &Problem, number: u64) -> Observation {
    if number % 5 == 3 {
        Observation::from_mean(f64::NAN)
    } else {
        Observation::from_losses(&problem.losses(number))
    }
}

/// Gradients of a step: now and then of zeros, and `None` where the problem says so.
fn gradients<F: Real>(problem: &Problem, number: u64, x: &[Vec<F>]) -> Vec<Option<Vec<F>>> {
    let mut gradients = problem.gradients(number, x);
    if number % 7 == 4 {
        for gradient in gradients.iter_mut().flatten() {
            gradient.fill(F::from_f64(0.0));
        }
    }
    gradients
}

/// What a run of `steps` comes to: parameters at the prediction, reports, and the optimizer.
type Run<F> = (Vec<Vec<F>>, Vec<StepReport>, Koala<F>);

fn run<F: Real>(config: &Config, problem: &Problem, steps: u64, joined: bool) -> Run<F> {
    let mut x = problem.start::<F>();
    let mut optimizer = Koala::<F>::new(config.clone(), &problem.lengths).unwrap();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let mut reports = Vec::new();
    for number in 0..steps {
        let gradients = gradients(problem, number, &x);
        let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
        let observation = observation(problem, number);
        let x = &mut slices(&mut x);
        reports.push(if joined {
            let report = optimizer.update_and_predict(x, &gradients, &observation);
            report.unwrap()
        } else {
            let report = optimizer.update(x, &gradients, &observation).unwrap();
            optimizer.predict(x).unwrap();
            report
        });
    }
    (x, reports, optimizer)
}

fn joined_is_apart<F: Real>(config: &Config, problem: &Problem) {
    let (x, reports, one) = run::<F>(config, problem, 20, true);
    let (y, expected, other) = run::<F>(config, problem, 20, false);
    assert_eq!(x, y);
    assert_eq!(one.state(), other.state());
    // Those of missing measurements have losses that are not equal to themselves.
    for (found, expected) in reports.iter().zip(&expected) {
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
}

proptest! {
    #[test]
    fn joined_and_apart_are_the_same_to_the_bit(
        config in configs(), lengths in lengths(), seed: u64,
    ) {
        let mut problem = Problem::new(seed, &lengths);
        problem.missing = |step, block| (step + block as u64).is_multiple_of(4);
        joined_is_apart::<f32>(&config, &problem);
        joined_is_apart::<f64>(&config, &problem);
    }
}

/// The model is evaluated where it would be after the update alone.
#[test]
fn evaluation_from_the_prediction_is_that_after_the_update() {
    for config in methods() {
        let mut problem = Problem::new(8, &[5, 3]);
        problem.missing = |step, block| block == 1 && step > 9;
        let mut x = problem.start::<f64>();
        let mut optimizer = Koala::<f64>::new(config.clone(), &problem.lengths).unwrap();
        optimizer.predict(&mut slices(&mut x)).unwrap();
        for number in 0..12 {
            let gradients = problem.gradients(number, &x);
            let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
            let observation = Observation::from_losses(&problem.losses(number));
            let (mut y, mut updated) = (x.clone(), optimizer.clone());
            updated
                .update(&mut slices(&mut y), &gradients, &observation)
                .unwrap();
            optimizer
                .update_and_predict(&mut slices(&mut x), &gradients, &observation)
                .unwrap();
            let rows = |x: &[Vec<f64>]| -> Vec<f64> { x.concat() };
            let y: Vec<&[f64]> = y.iter().map(Vec::as_slice).collect();
            let expected = rows(&updated.evaluation(&y).unwrap());
            let at: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
            let found = rows(&optimizer.evaluation_from_prediction(&at).unwrap());
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-14,
                    "{config:?}: {found} {expected}"
                );
            }
            assert!(matches!(
                updated.evaluation_from_prediction(&y),
                Err(Error::OutOfPhase { .. })
            ));
        }
    }
}

/// Without a velocity decay there is no velocity to go back by.
#[test]
fn without_velocities_the_prediction_is_the_estimate() {
    let config = KoalaAConfig::new().with_velocity_decay(0.0).with_mean(None);
    let problem = Problem::new(3, &[4]);
    let (x, _, optimizer) = run::<f64>(&config.into(), &problem, 3, true);
    let at: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    assert_eq!(optimizer.evaluation_from_prediction(&at).unwrap(), x);
}

/// A frozen parameter stands still also where a prediction is joined.
#[test]
fn frozen_parameters_are_not_predicted() {
    for config in methods() {
        let layout = Layout::new()
            .with_group(Group::frozen())
            .with_parameter("free", &[3], 0)
            .with_parameter("frozen", &[2], 1);
        let problem = Problem::new(4, &[3, 2]);
        let mut x = problem.start::<f32>();
        let still = x[1].clone();
        let mut optimizer = Koala::<f32>::with_layout(config, layout).unwrap();
        optimizer.predict(&mut slices(&mut x)).unwrap();
        for number in 0..6 {
            let gradients = problem.gradients(number, &x);
            let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
            optimizer
                .update_and_predict(
                    &mut slices(&mut x),
                    &gradients,
                    &observation(&problem, number),
                )
                .unwrap();
            assert_eq!(optimizer.filter().phase(), Phase::Predicted);
        }
        assert_eq!(x[1], still);
    }
}

/// What ends the step with an error leaves predict to be done.
#[test]
fn after_too_many_missing_predict_is_still_to_be_done() {
    let mut config = Config::from(KoalaAConfig::new());
    config.options_mut().missing_limit = 1;
    let mut x = vec![vec![1.0_f64, 2.0]];
    let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let gradients: [&[f64]; 1] = [&[0.1, 0.2]];
    let observation = Observation::from_mean(f64::NAN);
    let error = optimizer.update_and_predict(&mut slices(&mut x), &gradients, &observation);
    assert!(matches!(error, Err(Error::TooManyMissing { .. })));
    assert_eq!(optimizer.filter().phase(), Phase::Updated);
    optimizer.predict(&mut slices(&mut x)).unwrap();
}
