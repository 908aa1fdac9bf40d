//! Observations, targets and schedules: what the filter is told of a minibatch and of time.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::{Koala, Real};
use koala_filter::{
    Config, Error, KoalaVConfig, MeasurementNoise, Observation, Options, Outcome, Schedule, Target,
};
use proptest::prelude::*;
use support::{Problem, configs, lengths, methods, slices, with_options};

fn losses() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.0..10.0, 1..20)
}

proptest! {
    #[test]
    fn merged_observations_are_the_observation_of_all_samples(one in losses(), two in losses(), three in losses()) {
        let all = [one.clone(), two.clone(), three.clone()].concat();
        let whole = Observation::from_losses(&all);
        let [a, b, c] = [one, two, three].map(|losses| Observation::from_losses(&losses));
        for merged in [a.merged(b).merged(c), a.merged(b.merged(c)), c.merged(a).merged(b)] {
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert!((merged.mean() - whole.mean()).abs() < 1e-12 * (1.0 + whole.mean()));
            prop_assert!((merged.mean_square() - whole.mean_square()).abs() < 1e-12 * (1.0 + whole.mean_square()));
        }
    }

    #[test]
    fn an_observation_is_the_same_from_losses_from_sums_and_from_means(losses in losses()) {
        let count = losses.len() as u64;
        let direct = Observation::from_losses(&losses);
        let sums = Observation::from_sums(losses.iter().sum(), losses.iter().map(|l| l * l).sum(), count).unwrap();
        prop_assert_eq!(direct, sums);
        let means = Observation::from_means(direct.mean(), direct.mean_square(), count).unwrap();
        prop_assert!((means.mean() - direct.mean()).abs() <= 1e-15 * direct.mean());
        prop_assert!((means.mean_square() - direct.mean_square()).abs() <= 1e-15 * direct.mean_square());
    }

    /// Predict once, add micro-batches (gradients weighted by their samples, sums of losses), update once.
    #[test]
    fn gradient_accumulation_equals_the_big_batch(config in configs(), lengths in lengths(), seed: u64) {
        let problem = Problem::new(seed, &lengths);
        let mut whole = Koala::<f64>::new(config.clone(), &lengths).unwrap();
        let mut parts = Koala::<f64>::new(config, &lengths).unwrap();
        let (mut x, mut y) = (problem.start::<f64>(), problem.start::<f64>());
        for number in 0..10 {
            whole.predict(&mut slices(&mut x)).unwrap();
            parts.predict(&mut slices(&mut y)).unwrap();
            // Three samples in the first micro-batch, one in the second; a loss and a gradient for each sample.
            let losses = problem.losses(number);
            let samples: Vec<Vec<Option<Vec<f64>>>> =
                (0..4).map(|sample| problem.gradients(100 + 4 * number + sample, &y)).collect();
            let mean = |range: std::ops::Range<usize>| -> Vec<Vec<f64>> {
                (0..lengths.len())
                    .map(|block| (0..lengths[block])
                        .map(|i| range.clone().map(|s| samples[s][block].as_ref().unwrap()[i]).sum::<f64>() / range.len() as f64)
                        .collect())
                    .collect()
            };
            let accumulated: Vec<Vec<f64>> = mean(0..3).iter().zip(mean(3..4))
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (3.0 * a + b) / 4.0).collect())
                .collect();
            fn update(optimizer: &mut Koala<f64>, x: &mut [Vec<f64>], g: &[Vec<f64>], observation: Observation) {
                let g: Vec<&[f64]> = g.iter().map(Vec::as_slice).collect();
                optimizer.update(&mut slices(x), &g, &observation).unwrap();
            }
            update(&mut whole, &mut x, &mean(0..4), Observation::from_losses(&losses));
            let merged = Observation::from_losses(&losses[..3]).merged(Observation::from_losses(&losses[3..]));
            update(&mut parts, &mut y, &accumulated, merged);
            for (x, y) in x.iter().flatten().zip(y.iter().flatten()) {
                prop_assert!((x - y).abs() < 1e-9 * x.abs().max(1.0), "{x} {y}");
            }
        }
    }

    /// Replicas that all-reduce gradients and sums have the same filter to the bit.
    #[test]
    fn replicas_with_the_same_sums_stay_the_same(config in configs(), lengths in lengths(), seed: u64) {
        let problem = Problem::new(seed, &lengths);
        let replica = || {
            let mut optimizer = Koala::<f32>::new(config.clone(), &lengths).unwrap();
            let mut x = problem.start::<f32>();
            for number in 0..10 {
                optimizer.predict(&mut slices(&mut x)).unwrap();
                let gradients = problem.gradients(number, &x);
                let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
                let shares = problem.losses(number);
                let reduced = Observation::from_sums(
                    shares.iter().sum(), shares.iter().map(|l| l * l).sum(), shares.len() as u64,
                ).unwrap();
                optimizer.update(&mut slices(&mut x), &gradients, &reduced).unwrap();
            }
            (optimizer.state(), x)
        };
        prop_assert_eq!(replica(), replica());
    }

    #[test]
    fn unscaling_undoes_a_loss_scale_to_the_bit(config in configs(), lengths in lengths(), seed: u64, exponent in 0..24) {
        let scale = 2.0_f64.powi(exponent);
        fn both<F: Real>(config: &Config, problem: &Problem, scale: f64) {
            let mut results = Vec::new();
            for scaled in [false, true] {
                let mut optimizer = Koala::<F>::new(config.clone(), &problem.lengths).unwrap();
                let mut x = problem.start::<F>();
                optimizer.predict(&mut slices(&mut x)).unwrap();
                let gradients = problem.gradients(0, &x);
                let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
                let losses = problem.losses(0);
                let observation = if scaled {
                    let losses: Vec<f64> = losses.iter().map(|l| scale * l).collect();
                    Observation::from_losses(&losses).unscaled(scale)
                } else {
                    Observation::from_losses(&losses)
                };
                results.push((optimizer.update(&mut slices(&mut x), &gradients, &observation).unwrap(), x));
            }
            assert_eq!(results[0], results[1]);
        }
        let problem = Problem::new(seed, &lengths);
        both::<f64>(&config, &problem, scale);
        both::<f32>(&config, &problem, scale);
    }

    /// Target 0 with gain e is the target (1 - e) L with gain 1, for the residual; R is fixed so that M does not matter.
    #[test]
    fn a_gain_is_a_target(e in 0.0..1.0, lengths in lengths(), seed: u64) {
        let problem = Problem::new(seed, &lengths);
        for config in methods() {
            let config = with_options(config, |options| options.measurement_noise = MeasurementNoise::Fixed(0.7));
            let by_gain = with_options(config.clone(), |options| options.gain = e);
            let loss = Observation::from_losses(&problem.losses(0)).mean();
            let by_target = with_options(config, |options| options.target = Target::Constant((1.0 - e) * loss));
            let mut results = Vec::new();
            for config in [by_gain, by_target] {
                let mut optimizer = Koala::<f64>::new(config, &lengths).unwrap();
                let mut x = problem.start::<f64>();
                support::step(&mut optimizer, &problem, &mut x, 0);
                results.push(x.concat());
            }
            for (x, y) in results[0].iter().zip(&results[1]) {
                prop_assert!((x - y).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn a_scale_that_cannot_be_undone_is_a_missing_measurement() {
    for scale in [0.0, f64::NAN] {
        let mut optimizer = Koala::<f64>::new(KoalaVConfig::new(), &[1]).unwrap();
        let mut x = vec![vec![1.0]];
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let observation = Observation::from_mean(1.0).unscaled(scale);
        let report = optimizer
            .update(&mut slices(&mut x), &[&[1.0][..]], &observation)
            .unwrap();
        assert!(matches!(report.outcome, Outcome::Missing { .. }), "{scale}");
    }
}

#[test]
fn a_scalar_loss_stands_for_equal_samples() {
    let scalar = Observation::from_mean(3.0);
    assert_eq!((scalar.mean(), scalar.mean_square()), (3.0, 9.0));
    let equal = Observation::from_losses(&[3.0, 3.0, 3.0]);
    assert_eq!(
        (scalar.mean(), scalar.mean_square()),
        (equal.mean(), equal.mean_square())
    );
    // R follows the squared loss and never falls to 0.
    let mut optimizer = Koala::<f64>::new(KoalaVConfig::new(), &[1]).unwrap();
    let mut x = vec![vec![1.0]];
    for _ in 0..500 {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let report = optimizer
            .update(&mut slices(&mut x), &[&[1.0][..]], &scalar)
            .unwrap();
        assert!(report.measurement_noise > 0.99);
    }
    assert!((optimizer.filter().state().measurement_noise - 9.0).abs() < 1e-9);
}

#[test]
fn sums_that_no_losses_have_are_refused() {
    for (result, name) in [
        (Observation::from_sums(1.0, 1.0, 0), "count"),
        (Observation::from_sums(1.0, -1.0, 2), "sum_of_squares"),
        (Observation::from_means(1.0, 1.0, 0), "count"),
        (Observation::from_means(1.0, -1.0, 2), "sum_of_squares"),
    ] {
        assert!(
            matches!(result, Err(Error::InvalidObservation { field, .. }) if field == name),
            "{result:?}"
        );
    }
}

#[test]
fn the_second_moment_is_taken_about_the_target() {
    let losses = [1.0, 2.0, 6.0];
    let observation = Observation::from_losses(&losses);
    let about = |target: f64| losses.iter().map(|l| (l - target).powi(2)).sum::<f64>() / 3.0;
    for target in [0.0, 0.5, 3.0, 7.0, -2.0] {
        let found = Target::Constant(target).second_moment(&observation);
        assert!((found - about(target)).abs() < 1e-12, "{target}");
        assert_eq!(Target::Constant(target).value(3.0), target);
        assert!((Target::Constant(target).residual(3.0, 0.5) - (3.5 - target)).abs() < 1e-15);
    }
    for offset in [0.0, 0.5, 4.0] {
        let found = Target::Offset(offset).second_moment(&observation);
        assert!((found - about(3.0 - offset)).abs() < 1e-12, "{offset}");
        assert_eq!(Target::Offset(offset).value(3.0), 3.0 - offset);
        assert_eq!(Target::Offset(offset).residual(3.0, 0.5), offset);
    }
}

/// The first loss that is measured decides, one that is missing does not; from there the target stays.
#[test]
fn a_relative_target_is_a_share_of_the_first_loss() {
    for config in methods() {
        let config = with_options(config, |options| options.target = Target::Relative(0.25));
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![1.0, -1.0];
        let mut told = Vec::new();
        for loss in [f64::NAN, 8.0, 4.0, 1.0] {
            optimizer.predict(&mut [&mut x]).unwrap();
            let before = x.clone();
            let observation = Observation::from_losses(&[loss]);
            let report = optimizer
                .update(&mut [&mut x], &[&[0.5, 0.5][..]], &observation)
                .unwrap();
            told.push(report.target);
            // Below its target a loss moves nothing.
            assert_eq!(x == before, loss.is_nan() || loss < 2.0, "{loss}");
        }
        assert_eq!(told, [0.0, 2.0, 2.0, 2.0]);
    }
    // A first loss that is not positive has no share.
    assert_eq!(Target::Relative(0.25).after(-3.0), Target::Constant(0.0));
}

#[test]
fn rounding_cannot_make_a_second_moment_too_small() {
    // Equal losses have no variance; sums of squares lose its last digits.
    let observation = Observation::from_losses(&[1e8 + 0.1; 3]);
    for target in [1e8, 1e8 + 0.1, 0.0] {
        let deviation = observation.mean() - target;
        assert!(Target::Constant(target).second_moment(&observation) >= deviation * deviation);
    }
    assert!(Target::Offset(1e-3).second_moment(&observation) >= 1e-6);
}

fn gains(schedule: Schedule, steps: &[u64]) -> Vec<f64> {
    steps.iter().map(|&step| schedule.factor(step)).collect()
}

#[test]
fn the_constant_schedule_is_one() {
    assert_eq!(gains(Schedule::Constant, &[0, 1, u64::MAX]), [1.0; 3]);
}

#[test]
fn warm_up_rises_linearly_from_its_first_step() {
    let schedule = Schedule::LinearWarmup { warmup: 4 };
    let found = gains(schedule, &[0, 1, 2, 3, 4, 100]);
    assert_eq!(found, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
    assert_eq!(gains(Schedule::LinearWarmup { warmup: 0 }, &[0]), [1.0]);
}

#[test]
fn milestones_multiply_from_their_step_on() {
    let schedule = Schedule::Milestones {
        warmup: 2,
        milestones: vec![10, 20, 20],
        factor: 0.5,
    };
    let found = gains(schedule, &[0, 1, 9, 10, 19, 20, 1000]);
    assert_eq!(found, [0.5, 1.0, 1.0, 0.5, 0.5, 0.125, 0.125]);
}

#[test]
fn the_cosine_falls_from_one_to_its_floor_and_stays() {
    let schedule = Schedule::Cosine {
        warmup: 10,
        total: 110,
        floor: 0.2,
    };
    let found = gains(schedule.clone(), &[0, 10, 60, 110, 10_000]);
    for (found, expected) in found.iter().zip([0.1, 1.0, 0.6, 0.2, 0.2]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    let falling: Vec<f64> = (10..=110).map(|step| schedule.factor(step)).collect();
    assert!(falling.is_sorted_by(|left, right| left > right));
}

#[test]
fn warm_up_stable_decay_has_three_straight_parts() {
    let schedule = Schedule::WarmupStableDecay {
        warmup: 4,
        total: 20,
        decay: 10,
        floor: 0.1,
    };
    let found = gains(schedule, &[0, 3, 4, 9, 10, 15, 20, 99]);
    for (found, expected) in found.iter().zip([0.25, 1.0, 1.0, 1.0, 1.0, 0.55, 0.1, 0.1]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let whole = 0_u64..1000;
    prop_oneof![
        Just(Schedule::Constant),
        whole
            .clone()
            .prop_map(|warmup| Schedule::LinearWarmup { warmup }),
        (
            whole.clone(),
            prop::collection::vec(whole.clone(), 0..5),
            0.0..1.0
        )
            .prop_map(|(warmup, mut milestones, factor)| {
                milestones.sort_unstable();
                Schedule::Milestones {
                    warmup,
                    milestones,
                    factor,
                }
            }),
        (whole.clone(), whole.clone(), 0.0..1.0).prop_map(|(warmup, more, floor)| {
            Schedule::Cosine {
                warmup,
                total: warmup + more,
                floor,
            }
        }),
        (whole.clone(), whole.clone(), whole, 0.0..1.0).prop_map(
            |(warmup, stable, decay, floor)| Schedule::WarmupStableDecay {
                warmup,
                total: warmup + stable + decay,
                decay,
                floor,
            }
        ),
    ]
}

proptest! {
    #[test]
    fn every_schedule_stays_between_zero_and_one_and_is_a_pure_function_of_the_step(schedule in schedules(), step: u64) {
        for step in [step, step % 3000] {
            let factor = schedule.factor(step);
            prop_assert!((0.0..=1.0).contains(&factor), "{factor}");
            prop_assert_eq!(factor, schedule.factor(step));
        }
        let options = Options { schedule, ..Options::default() };
        let config = KoalaVConfig { options, ..KoalaVConfig::new() };
        prop_assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn the_filter_multiplies_gain_and_schedule(schedule in schedules(), gain in 0.0..3.0) {
        let config = KoalaVConfig::new().with_gain(gain).with_schedule(schedule.clone());
        let mut optimizer = Koala::<f64>::new(config, &[1]).unwrap();
        let mut x = vec![vec![1.0]];
        for step in 0..20 {
            prop_assert_eq!(optimizer.filter().gain(), gain * schedule.factor(step));
            optimizer.predict(&mut slices(&mut x)).unwrap();
            let report = optimizer
                .update(&mut slices(&mut x), &[&[1.0][..]], &Observation::from_mean(1.0))
                .unwrap();
            prop_assert_eq!(report.gain, gain * schedule.factor(step));
        }
    }
}
