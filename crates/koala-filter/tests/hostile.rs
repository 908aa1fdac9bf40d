//! Whatever numbers come, a filter stays finite, can be stored and goes on.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::{Koala, Real};
use koala_filter::{Config, Observation};
use proptest::prelude::*;
use support::{methods, slices};

const LENGTHS: [usize; 2] = [5, 3];

/// Gradients and losses of a step.
#[derive(Clone, Debug)]
struct Met<F> {
    gradient: Vec<F>,
    losses: Vec<F>,
}

fn number<F: Real>(largest: f64) -> impl Strategy<Value = F> {
    let odd = vec![
        0.0,
        -0.0,
        1e-45,
        -1e-40,
        1e-20,
        1e10,
        -1e15,
        1e19,
        1e25,
        -1e30,
        largest,
        -largest,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    prop_oneof![6 => -2.0..2.0, 1 => prop::sample::select(odd)].prop_map(F::from_f64)
}

/// Mostly of one kind, as in training that goes wrong; `largest` is the largest number of this type.
fn met<F: Real>(largest: f64) -> impl Strategy<Value = Met<F>> {
    let all = |value: f64| Just(vec![F::from_f64(value); 8]);
    let gradient = prop_oneof![
        4 => prop::collection::vec((-2.0..2.0).prop_map(F::from_f64), 8),
        3 => prop::collection::vec(number(largest), 8),
        1 => all(0.0),
        1 => all(1e-12),
        1 => all(1e30),
        1 => all(largest),
        1 => all(f64::NAN),
    ];
    let losses = prop_oneof![
        4 => prop::collection::vec((0.0..3.0).prop_map(F::from_f64), 1..5),
        2 => prop::collection::vec(number(largest), 1..5),
        1 => Just(vec![F::from_f64(1e30); 3]),
        1 => Just(vec![F::from_f64(0.0); 4]),
    ];
    (gradient, losses).prop_map(|(gradient, losses)| Met { gradient, losses })
}

fn step<F: Real>(optimizer: &mut Koala<F>, x: &mut [Vec<F>], met: &Met<F>) {
    let (first, second) = met.gradient.split_at(LENGTHS[0]);
    optimizer.predict(&mut slices(x)).unwrap();
    let losses: Vec<f64> = met.losses.iter().map(|&loss| loss.to_f64()).collect();
    let observation = Observation::from_losses(&losses);
    optimizer
        .update(&mut slices(x), &[Some(first), Some(second)], &observation)
        .unwrap();
}

fn finite<F: Real>(vectors: &[Vec<F>]) -> bool {
    vectors
        .iter()
        .flatten()
        .all(|number| number.to_f64().is_finite())
}

fn stays_finite<F: Real>(mut config: Config, steps: &[Met<F>]) -> Result<(), TestCaseError> {
    config.options_mut().missing_limit = u32::MAX;
    let mut optimizer = Koala::<F>::new(config.clone(), &LENGTHS).unwrap();
    let mut x: Vec<Vec<F>> = LENGTHS.map(|length| vec![F::from_f64(0.5); length]).into();
    for (at, met) in steps.iter().enumerate() {
        step(&mut optimizer, &mut x, met);
        let state = optimizer.state();
        prop_assert!(finite(&x), "step {at} of {config:?}: {x:?}");
        for memory in &state.memory {
            for slot in [&memory.first, &memory.second, &memory.third] {
                prop_assert!(
                    finite(std::slice::from_ref(slot)),
                    "step {at} of {config:?}: {memory:?}"
                );
            }
        }
        let mut restored = Koala::<F>::from_state(state).unwrap();
        prop_assert_eq!(restored.state(), optimizer.state());
        restored.predict(&mut slices(&mut x.clone())).unwrap();
    }
    Ok(())
}

/// L P / S of a loss that is all but 0 is no number in f32; a gradient of 0 still does not move anything.
#[test]
fn a_gradient_of_nothing_under_a_loss_of_nothing() {
    for gradient in [0.0, 1e-44] {
        let met = Met {
            gradient: vec![gradient; 8],
            losses: vec![1e-45_f32],
        };
        for config in methods() {
            stays_finite(config, &vec![met.clone(); 3]).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn with_f32(steps in prop::collection::vec(met::<f32>(f64::from(f32::MAX)), 1..30)) {
        for config in methods() {
            stays_finite(config, &steps)?;
        }
    }

    #[test]
    fn with_f64(steps in prop::collection::vec(met::<f64>(f64::MAX), 1..30)) {
        for config in methods() {
            stays_finite(config, &steps)?;
        }
    }
}

/// The way to every number in it.
fn numbers_of(value: &serde_json::Value, at: &str, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Number(_) => into.push(at.to_owned()),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                numbers_of(field, &format!("{at}/{name}"), into);
            }
        }
        _ => {}
    }
}

fn usual<F: Real>() -> Met<F> {
    let numbers = |numbers: &[f64]| numbers.iter().map(|&number| F::from_f64(number)).collect();
    Met {
        gradient: numbers(&[0.3, -0.2, 0.1, 0.4, 0.3, -0.5, 1.0, 0.2]),
        losses: numbers(&[1.0, 1.5]),
    }
}

/// Each number of a configuration that is taken, however large or small. Not those that x itself is multiplied by: the gain, and the rate
/// of a decay, which may be decoupled.
#[test]
fn settings_of_all_sizes() {
    let mut tried = 0;
    for config in methods() {
        let settings = serde_json::to_value(&config).unwrap();
        let mut ways = Vec::new();
        numbers_of(&settings, "", &mut ways);
        ways.retain(|way| !way.ends_with("/gain") && !way.ends_with("/rate"));
        for way in &ways {
            for size in [1e-300, 1e-30, 1e19, 1e38, 1e100, 1e200, 1e300] {
                let mut changed = settings.clone();
                *changed.pointer_mut(way).unwrap() = size.into();
                let Ok(config) = serde_json::from_value::<Config>(changed) else {
                    continue;
                };
                if Koala::<f32>::new(config.clone(), &LENGTHS).is_ok() {
                    tried += 1;
                    stays_finite::<f32>(config.clone(), &vec![usual(); 5]).unwrap();
                    stays_finite::<f64>(config, &vec![usual(); 5]).unwrap();
                }
            }
        }
    }
    assert!(tried > 300, "{tried}");
}
