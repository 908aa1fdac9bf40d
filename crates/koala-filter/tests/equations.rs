//! The optimizers compute what the equations say.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{
    Config, Covariance, DecayRule, KoalaMConfig, KoalaVConfig, Observation, Partition,
    PositionNoise, ProcessNoise, Target, WeightDecay,
};
use proptest::prelude::*;
use support::{Plain, PlainMethod, Problem, configs, lengths, methods, slices, with_options};

fn relative(found: f64, expected: f64, scale: f64) -> f64 {
    if found == expected {
        0.0
    } else {
        (found - expected).abs() / scale.max(f64::MIN_POSITIVE)
    }
}

/// Runs both side by side and returns the largest relative difference.
fn worst_difference(config: &Config, problem: &Problem, steps: u64) -> f64 {
    let mut optimizer = Koala::<f64>::new(config.clone(), &problem.lengths).unwrap();
    let mut plain = Plain::new(config, &problem.lengths);
    let mut x = problem.start::<f64>();
    let mut y = x.clone();
    let mut worst = 0.0_f64;
    let mut compare = |x: &[Vec<f64>], y: &[Vec<f64>]| {
        for (x, y) in x.iter().zip(y) {
            let scale = y.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
            for (x, y) in x.iter().zip(y) {
                worst = worst.max(relative(*x, *y, scale));
            }
        }
    };
    for step in 0..steps {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        plain.predict(&mut y);
        compare(&x, &y);
        let losses = problem.losses(step);
        let gradients = problem.gradients(step, &y);
        let given: Vec<_> = gradients.iter().map(Option::as_deref).collect();
        let e = optimizer.filter().gain();
        let observation = Observation::from_losses(&losses);
        let report = optimizer
            .update(&mut slices(&mut x), &given, &observation)
            .unwrap();
        plain.update(&mut y, &gradients, &losses, e);
        compare(&x, &y);
        let mut numbers = vec![(report.measurement_noise, plain.r)];
        match (&report.covariance, &plain.method) {
            (Covariance::Scalar(found), PlainMethod::V { p, .. }) => numbers.push((*found, *p)),
            (Covariance::Matrix { p11, p12, p22 }, PlainMethod::M { p, q_x, .. }) => {
                let ProcessNoise::PositionVelocity { position, .. } = report.process_noise else {
                    panic!("{:?}", report.process_noise);
                };
                numbers.extend([(*p11, p[0]), (*p12, p[1]), (*p22, p[2]), (position, *q_x)]);
            }
            (Covariance::Matrix { p11, p12, p22 }, PlainMethod::A(plain)) => {
                let ProcessNoise::Scalar(q) = report.process_noise else {
                    panic!("{:?}", report.process_noise);
                };
                numbers.extend([(*p11, plain.p[0]), (*p12, plain.p[1]), (*p22, plain.p[2])]);
                numbers.push((q, plain.q));
                let rho = report.whiteness.unwrap().smoothed_correlation;
                compare(&[vec![rho, 1.0]], &[vec![plain.rho, 1.0]]);
                if plain.config.mean.is_some() {
                    let parameters: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
                    compare(&optimizer.evaluation(&parameters).unwrap(), &plain.mean);
                }
            }
            (Covariance::Product, PlainMethod::Pp { .. }) => {}
            other => panic!("{:?}", other.0),
        }
        let scale = numbers.iter().fold(0.0_f64, |m, (_, y)| m.max(y.abs()));
        for (found, expected) in numbers {
            compare(&[vec![found, scale]], &[vec![expected, scale]]);
        }
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_configuration_follows_the_equations(config in configs(), lengths in lengths(), seed: u64, some_missing: bool) {
        let config = with_options(config, |options| options.partition = Partition::PerTensor);
        let mut problem = Problem::new(seed, &lengths);
        if some_missing {
            problem.missing = |step, block| (step + 2 * block as u64).is_multiple_of(3);
        }
        let worst = worst_difference(&config, &problem, 30);
        prop_assert!(worst < 1e-9, "{worst:e}");
    }

    #[test]
    fn every_target_follows_the_equations(config in configs(), seed: u64, value in 0.0..1.5, offset: bool) {
        let target = if offset { Target::Offset(value) } else { Target::Constant(value) };
        let config = with_options(config, |options| {
            options.partition = Partition::PerTensor;
            options.target = target;
        });
        let worst = worst_difference(&config, &Problem::new(seed, &[3, 5]), 30);
        prop_assert!(worst < 1e-9, "{worst:e}");
    }
}

#[test]
fn each_position_noise_rule_follows_its_own_equation() {
    for rule in [
        PositionNoise::Authors { initial: 0.3 },
        PositionNoise::Paper,
        PositionNoise::Fixed(0.3),
    ] {
        let config = KoalaMConfig::new().with_position_noise(rule).into();
        let mut problem = Problem::new(5, &[4, 7, 1]);
        problem.missing = |step, block| step % 5 == block as u64;
        assert!(worst_difference(&config, &problem, 60) < 1e-12, "{rule:?}");
    }
}

#[test]
fn each_decay_rule_follows_its_own_equation() {
    for config in methods() {
        for rule in [
            DecayRule::Coupled,
            DecayRule::Decoupled,
            DecayRule::GainOnly,
        ] {
            if !config.demands().gain_only_decay && rule == DecayRule::GainOnly {
                continue;
            }
            let config = with_options(config.clone(), |options| {
                options.weight_decay = WeightDecay { rate: 0.1, rule };
            });
            let worst = worst_difference(&config, &Problem::new(5, &[4, 7, 1]), 60);
            assert!(worst < 1e-10, "{rule:?}: {worst:e}");
        }
    }
}

#[test]
fn the_partition_global_is_one_block_of_everything() {
    for config in methods() {
        let (mut parts, mut whole) = (vec![], vec![]);
        for (lengths, x) in [(vec![3, 4, 5], &mut parts), (vec![12], &mut whole)] {
            let config = with_options(config.clone(), |options| {
                options.partition = Partition::Global;
                options.weight_decay = WeightDecay::coupled(0.1);
            });
            let mut optimizer = Koala::<f64>::new(config, &lengths).unwrap();
            let all: Vec<f64> = Problem::new(3, &[12]).start().remove(0);
            let mut rest = all.as_slice();
            for &length in &lengths {
                let (first, others) = rest.split_at(length);
                x.push(first.to_vec());
                rest = others;
            }
            for step in 0..40 {
                optimizer.predict(&mut slices(x)).unwrap();
                let flat = x.concat();
                let gradient = Problem::new(3, &[12]).gradient(step, 0, &flat).unwrap();
                let mut at = 0;
                let gradients: Vec<&[f64]> = lengths
                    .iter()
                    .map(|&length| {
                        at += length;
                        &gradient[at - length..at]
                    })
                    .collect();
                let losses = Problem::new(3, &[12]).losses(step);
                let observation = Observation::from_losses(&losses);
                optimizer
                    .update(&mut slices(x), &gradients, &observation)
                    .unwrap();
            }
        }
        for (part, whole) in parts.concat().iter().zip(&whole[0]) {
            assert!((part - whole).abs() < 1e-10 * whole.abs().max(1.0));
        }
    }
}

proptest! {
    #[test]
    fn koala_m_without_velocity_uncertainty_is_koala_v(p in 0.0..2.0, q in 0.0..2.0, kappa in 0.0..1.0, lengths in lengths(), seed: u64) {
        let problem = Problem::new(seed, &lengths);
        let momentum = KoalaMConfig::new()
            .with_initial_covariance(p, 0.0, 0.0)
            .with_velocity_decay(kappa)
            .with_velocity_noise(0.0)
            .with_position_noise(PositionNoise::Fixed(q));
        let vanilla = KoalaVConfig::new().with_initial_covariance(p).with_process_noise(q);
        let mut m = Koala::<f64>::new(momentum, &lengths).unwrap();
        let mut v = Koala::<f64>::new(vanilla, &lengths).unwrap();
        let (mut x, mut y) = (problem.start(), problem.start());
        for number in 0..30 {
            let with_velocity = support::step(&mut m, &problem, &mut x, number);
            let without = support::step(&mut v, &problem, &mut y, number);
            prop_assert_eq!(&x, &y);
            let Covariance::Matrix { p11, p12, p22 } = with_velocity.covariance else { panic!() };
            prop_assert_eq!(without.covariance, Covariance::Scalar(p11));
            prop_assert_eq!((p12, p22), (0.0, 0.0));
        }
    }
}
