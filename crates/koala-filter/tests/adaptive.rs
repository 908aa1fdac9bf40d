//! What holds of KOALA-A alone: one innovation, a metric, a process noise found by whiteness, a mean to be evaluated at.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{
    Config, Covariance, Error, Group, KoalaAConfig, KoalaMConfig, Layout, MeasurementNoise, Metric,
    Observation, Outcome, Partition, PositionNoise, ProcessNoise, StepReport, WeightDecay,
};
use proptest::prelude::*;
use support::{Problem, lengths, noise, run, slices, step};

fn update(
    optimizer: &mut Koala<f64>,
    x: &mut [Vec<f64>],
    gradients: &[Option<&[f64]>],
    losses: &[f64],
) -> StepReport {
    optimizer.predict(&mut slices(x)).unwrap();
    let observation = Observation::from_losses(losses);
    optimizer
        .update(&mut slices(x), gradients, &observation)
        .unwrap()
}

fn q(report: &StepReport) -> f64 {
    match report.process_noise {
        ProcessNoise::Scalar(q) => q,
        ProcessNoise::PositionVelocity { .. } => panic!(),
    }
}

fn evaluated(optimizer: &Koala<f64>, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let x: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    optimizer.evaluation(&x).unwrap()
}

/// Any settings at all.
fn settings() -> impl Strategy<Value = KoalaAConfig> {
    (
        (0.01..3.0, 0.0..1.0, any::<bool>(), 0.0..1.0),
        (0.0..1.0, 0.0..1.0, 0.5..100.0, 0.0..1.0),
        prop::option::of(0.0..20.0),
    )
        .prop_map(
            |((q, kappa, diagonal, beta), (up, down, horizon, smoothing), eta)| {
                KoalaAConfig::new()
                    .with_initial_process_noise(q)
                    .with_velocity_decay(kappa)
                    .with_metric(if diagonal {
                        Metric::Diagonal
                    } else {
                        Metric::None
                    })
                    .with_second_moment_smoothing(beta)
                    .with_rates(up, down)
                    .with_rate_horizon(horizon)
                    .with_whiteness_smoothing(smoothing)
                    .with_mean(eta)
            },
        )
}

proptest! {
    /// (L, g, l_i) -> (c L, c g, c l_i) changes nothing, since R has no start.
    #[test]
    fn the_unit_of_the_loss_changes_nothing(config in settings(), lengths in lengths(), seed: u64, exponent in -6.0..6.0_f64) {
        let problem = Problem::new(seed, &lengths);
        let mut results = Vec::new();
        for c in [1.0, 10.0_f64.powf(exponent)] {
            let mut x = problem.start::<f64>();
            let mut optimizer = Koala::<f64>::new(config.clone(), &lengths).unwrap();
            for number in 0..20 {
                // Gradients that do not depend on x: rounding is not fed back.
                let gradients: Vec<Vec<f64>> = problem
                    .gradients(number, &problem.start::<f64>())
                    .into_iter()
                    .map(|g| g.unwrap().iter().map(|g| c * g).collect())
                    .collect();
                let gradients: Vec<_> = gradients.iter().map(|g| Some(g.as_slice())).collect();
                let losses: Vec<f64> = problem.losses(number).iter().map(|l| c * l).collect();
                update(&mut optimizer, &mut x, &gradients, &losses);
            }
            results.push(x.concat());
        }
        let size = results[0].iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (x, y) in results[0].iter().zip(&results[1]) {
            prop_assert!((x - y).abs() <= 1e-12 * size, "{x} {y}");
        }
    }

    /// Whatever comes: gradients of any size, along or against the velocity, losses that jump.
    #[test]
    fn q_stays_positive_and_rho_a_correlation(config in settings(), lengths in lengths(), seed: u64, size in -100..100_i32) {
        let problem = Problem::new(seed, &lengths);
        let mut x = problem.start::<f64>();
        let mut optimizer = Koala::<f64>::new(config, &lengths).unwrap();
        for number in 0..60 {
            let scale = if number % 4 == 0 { 2.0_f64.powi(size) } else { 1.0 };
            let gradients: Vec<Vec<f64>> = problem
                .gradients(number, &problem.start::<f64>())
                .into_iter()
                .map(|g| g.unwrap().iter().map(|g| scale * g).collect())
                .collect();
            let gradients: Vec<_> = gradients.iter().map(|g| Some(g.as_slice())).collect();
            let jump = if number % 7 == 0 { 1e6 } else { 1.0 };
            let losses: Vec<f64> = problem.losses(number).iter().map(|l| jump * l).collect();
            let report = update(&mut optimizer, &mut x, &gradients, &losses);
            prop_assert!(q(&report) > 0.0 && q(&report).is_finite());
            let whiteness = report.whiteness.unwrap();
            for rho in [whiteness.correlation, whiteness.smoothed_correlation] {
                prop_assert!((-1.0..=1.0).contains(&rho), "{rho}");
            }
            prop_assert!(whiteness.corrected_correlation.abs() <= 1.0 + 1e-12);
            let Covariance::Matrix { p11, p12, p22 } = report.covariance else { panic!() };
            prop_assert!(p11 >= 0.0 && p22 >= 0.0 && (p11 + p12 + p22).is_finite());
            prop_assert!(p11 * p22 - p12 * p12 >= -1e-12 * p11 * p22, "{p11} {p12} {p22}");
            prop_assert!(x.iter().flatten().all(|x| x.is_finite()));
        }
    }

    /// Without metric and with Q at rest it is KOALA-M over one block of everything.
    #[test]
    fn without_metric_and_with_fixed_noise_it_is_koala_m_over_the_whole_model(
        noise in 0.01..2.0, kappa in 0.0..1.0, w in 0.0..0.1, decoupled: bool, lengths in lengths(), seed: u64,
    ) {
        let decay = if decoupled { WeightDecay::decoupled(w) } else { WeightDecay::coupled(w) };
        let r = MeasurementNoise::BiasCorrected { smoothing: 0.9 };
        let adaptive = KoalaAConfig::new()
            .with_initial_process_noise(noise)
            .with_velocity_decay(kappa)
            .with_metric(Metric::None)
            .with_rates(0.0, 0.0)
            .with_weight_decay(decay);
        let momentum = KoalaMConfig::new()
            .with_initial_covariance(noise, 0.0, noise * (1.0 - kappa) / (1.0 + kappa))
            .with_velocity_decay(kappa)
            .with_position_noise(PositionNoise::Fixed(0.0))
            .with_velocity_noise(noise * (1.0 - kappa).powi(2))
            .with_partition(Partition::Global)
            .with_measurement_noise(r)
            .with_weight_decay(decay);
        let problem = Problem::new(seed, &lengths);
        let (mut x, mut y) = (problem.start::<f64>(), problem.start::<f64>());
        let mut one = Koala::<f64>::new(adaptive, &lengths).unwrap();
        let mut other = Koala::<f64>::new(momentum, &lengths).unwrap();
        for number in 0..40 {
            let found = step(&mut one, &problem, &mut x, number);
            let expected = step(&mut other, &problem, &mut y, number);
            prop_assert!((found.measurement_noise - expected.measurement_noise).abs() <= 1e-12 * expected.measurement_noise);
            for (x, y) in x.iter().flatten().zip(y.iter().flatten()) {
                prop_assert!((x - y).abs() < 1e-10 * y.abs().max(1.0), "{x} {y}");
            }
        }
    }

    /// Rows of an embedding: most elements of a gradient are 0, others come once in a while.
    #[test]
    fn sparse_gradients_move_what_they_name(seed: u64, length in 2_usize..40, metric: bool) {
        let metric = if metric { Metric::Diagonal } else { Metric::None };
        let config = KoalaAConfig::new().with_metric(metric).with_velocity_decay(0.0);
        let mut optimizer = Koala::<f64>::new(config, &[length]).unwrap();
        let mut x = vec![vec![1.0; length]];
        for number in 0..30_u64 {
            let named = (noise(seed ^ number).abs() * length as f64) as usize;
            let mut gradient = vec![0.0; length];
            gradient[named] = 1.0;
            let before = x.clone();
            let report = update(&mut optimizer, &mut x, &[Some(&gradient)], &[1.0]);
            prop_assert_eq!(report.outcome, Outcome::Measured);
            for index in 0..length {
                if index == named {
                    prop_assert!(x[0][index] < before[0][index] && x[0][index].is_finite());
                } else {
                    prop_assert_eq!(x[0][index], before[0][index]);
                }
            }
        }
    }
}

#[test]
fn a_gradient_of_zeros_measures_r_and_moves_nothing_now_or_next() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[2]).unwrap();
    let mut x = vec![vec![1.0, 2.0]];
    let g: &[f64] = &[0.3, -0.2];
    update(&mut optimizer, &mut x, &[Some(g)], &[1.0]);
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let (predicted, covariance) = (x.clone(), optimizer.filter().covariance());
    let noise = optimizer.filter().process_noise();
    let mean = evaluated_anyway(&optimizer);
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[Some(&[0.0, 0.0][..])],
            &Observation::from_mean(3.0),
        )
        .unwrap();
    assert_eq!(report.outcome, Outcome::NoGradient);
    assert_eq!(x, predicted);
    assert_eq!(report.covariance, covariance);
    assert_eq!(report.process_noise, noise);
    assert!((report.measurement_noise - (0.09 * 1.0 + 0.1 * 9.0) / 0.19).abs() < 1e-12);
    // The mean takes part.
    assert_ne!(evaluated(&optimizer, &x)[0], mean);
    // No tensor moves at the next predict.
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_eq!(x, predicted);
}

/// The stored mean, in either phase.
fn evaluated_anyway(optimizer: &Koala<f64>) -> Vec<f64> {
    optimizer.state().memory[0].third.clone()
}

#[test]
fn a_tensor_without_a_gradient_stands_still_and_keeps_its_velocity() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[2, 2]).unwrap();
    let mut x = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    let g: &[f64] = &[0.3, -0.2];
    for _ in 0..3 {
        update(&mut optimizer, &mut x, &[Some(g), Some(g)], &[1.0]);
    }
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let observation = Observation::from_mean(1.0);
    let (still, before) = (x[1].clone(), optimizer.state().memory[1].clone());
    optimizer
        .update(&mut slices(&mut x), &[Some(g), None], &observation)
        .unwrap();
    let after = optimizer.state().memory[1].clone();
    assert_eq!(x[1], still);
    assert_eq!(
        (&after.first, &after.second),
        (&before.first, &before.second)
    );
    assert_ne!(after.third, before.third);
    // Nor does the next predict move it; one after a gradient does.
    update(&mut optimizer, &mut x, &[Some(g), Some(g)], &[1.0]);
    assert_ne!(x[1], still);
    let moved = x[1].clone();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_ne!(x[1], moved);
}

#[test]
fn a_missing_measurement_touches_neither_metric_nor_noise_nor_mean() {
    let problem = Problem::new(3, &[4, 1]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[4, 1]).unwrap();
    run(&mut optimizer, &problem, &mut x, 0..6);
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let (predicted, before) = (x.clone(), optimizer.state());
    // The loss, a gradient, and one whose square is not finite.
    for (loss, gradient) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, 1e200)] {
        let mut tried = optimizer.clone();
        let report = tried
            .update(
                &mut slices(&mut x),
                &[Some(&[gradient; 4][..]), Some(&[1.0][..])],
                &Observation::from_mean(loss),
            )
            .unwrap();
        assert!(matches!(report.outcome, Outcome::Missing { .. }));
        assert_eq!(report.whiteness, None);
        assert_eq!(x, predicted);
        let mut after = tried.state();
        assert_eq!(after.memory, before.memory);
        after.filter.phase = before.filter.phase;
        after.filter.step = before.filter.step;
        (after.filter.missing_in_a_row, after.filter.missing_in_all) = (0, 0);
        assert_eq!(after.filter, before.filter);
    }
}

/// A second moment that single precision cannot hold makes the measurement missing, since it would stay for good.
#[test]
fn a_gradient_whose_square_leaves_single_precision_is_missing() {
    let mut optimizer = Koala::<f32>::new(KoalaAConfig::new(), &[2]).unwrap();
    let mut x = vec![vec![1.0_f32, 2.0]];
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[&[1e30_f32, 1.0][..]],
            &Observation::from_mean(1.0),
        )
        .unwrap();
    assert!(matches!(report.outcome, Outcome::Missing { .. }));
    assert_eq!(x[0], [1.0, 2.0]);
    assert_eq!(optimizer.state().memory[0].second, [0.0, 0.0]);
}

/// f(x) = |x|^2 / 2 in one dimension and in batches of one: it gets there, also over a jump of the loss by 1e6.
#[test]
fn one_parameter_in_batches_of_one_gets_there_over_a_jump() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[1]).unwrap();
    let mut x = vec![vec![3.0]];
    for number in 0..600_u64 {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let centre = 0.1 * noise(number);
        let jump = if number == 100 { 1e6 } else { 1.0 };
        let off = x[0][0] - centre;
        let observation = Observation::from_mean(jump * off * off / 2.0);
        let report = optimizer
            .update(&mut slices(&mut x), &[&[jump * off][..]], &observation)
            .unwrap();
        assert!(q(&report).is_finite() && x[0][0].is_finite());
    }
    assert!(evaluated(&optimizer, &x)[0][0].abs() < 0.1);
}

#[test]
fn the_mean_starts_at_x_and_decays_polynomially() {
    let eta = 2.0;
    let config = KoalaAConfig::new().with_mean(Some(eta));
    let problem = Problem::new(9, &[3]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
    assert_eq!(evaluated(&optimizer, &x), x);
    let mut mean = vec![0.0; 3];
    for k in 1..=20_u64 {
        step(&mut optimizer, &problem, &mut x, k);
        let weight = ((eta + 1.0) / (k as f64 + eta)).min(1.0);
        for (mean, x) in mean.iter_mut().zip(&x[0]) {
            *mean += weight * (x - *mean);
        }
        for (found, expected) in evaluated(&optimizer, &x)[0].iter().zip(&mean) {
            assert!((found - expected).abs() < 1e-14);
        }
    }
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let slices: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    assert!(matches!(
        optimizer.evaluation(&slices),
        Err(Error::OutOfPhase { .. })
    ));
}

#[test]
fn without_a_mean_the_model_is_evaluated_where_it_is() {
    let problem = Problem::new(9, &[3]);
    let mut x = problem.start::<f64>();
    for config in [
        Config::from(KoalaAConfig::new().with_mean(None)),
        KoalaMConfig::new().into(),
    ] {
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        run(&mut optimizer, &problem, &mut x, 0..5);
        assert_eq!(evaluated(&optimizer, &x), x);
    }
}

#[test]
fn the_mean_of_a_new_parameter_starts_at_its_own_x() {
    let problem = Problem::new(2, &[3, 2]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[3]).unwrap();
    run(&mut optimizer, &problem, &mut x[..1], 0..30);
    optimizer
        .add_group(Group::default(), [("later", vec![2])])
        .unwrap();
    assert_eq!(evaluated(&optimizer, &x)[1], x[1]);
    step(&mut optimizer, &problem, &mut x, 30);
    assert_eq!(evaluated(&optimizer, &x)[1], x[1]);
    step(&mut optimizer, &problem, &mut x, 31);
    assert_ne!(evaluated(&optimizer, &x)[1], x[1]);
}

#[test]
fn frozen_parameters_are_in_no_sum_and_their_mean_is_where_they_are() {
    let layout = Layout::new()
        .with_group(Group::frozen())
        .with_parameter("free", &[3], 0)
        .with_parameter("frozen", &[2], 1);
    let problem = Problem::new(4, &[3, 2]);
    let mut x = problem.start::<f64>();
    let mut y = x.clone();
    let mut with = Koala::<f64>::with_layout(KoalaAConfig::new(), layout).unwrap();
    let mut without = Koala::<f64>::new(KoalaAConfig::new(), &[3]).unwrap();
    let still = x[1].clone();
    run(&mut with, &problem, &mut x, 0..10);
    run(&mut without, &problem, &mut y[..1], 0..10);
    assert_eq!(x[0], y[0]);
    assert_eq!(x[1], still);
    assert_eq!(evaluated(&with, &x)[1], still);
    assert_eq!(with.state().memory[1].third, [0.0, 0.0]);

    // Frozen after it was trained, it stays, and its mean comes to where it is.
    with.set_group(1, Group::default()).unwrap();
    run(&mut with, &problem, &mut x, 10..20);
    with.set_group(1, Group::frozen()).unwrap();
    let still = x[1].clone();
    let apart =
        |optimizer: &Koala<f64>, x: &[Vec<f64>]| (evaluated(optimizer, x)[1][0] - still[0]).abs();
    let before = apart(&with, &x);
    run(&mut with, &problem, &mut x, 20..200);
    assert_eq!(x[1], still);
    assert!(apart(&with, &x) < before / 100.0);
}

#[test]
fn the_metric_is_1_over_the_whole_model_and_told_of_each_block() {
    let problem = Problem::new(6, &[5, 7]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[5, 7]).unwrap();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    // A block with gradients a thousand times the other's.
    let large: Vec<f64> = (0..5).map(|i| 1000.0 * noise(i)).collect();
    let small: Vec<f64> = (0..7).map(noise).collect();
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[&large[..], &small[..]],
            &Observation::from_mean(1.0),
        )
        .unwrap();
    let metric = |block: usize| report.blocks[block].metric.unwrap();
    assert!(metric(1) > 100.0 * metric(0));
    let squares = |g: &[f64]| g.iter().map(|g| g * g).sum::<f64>();
    let mean = (metric(0) * squares(&large) + metric(1) * squares(&small))
        / (squares(&large) + squares(&small));
    assert!((mean - 1.0).abs() < 1e-12);
    let [one, other] = [0, 1].map(|block| report.blocks[block].effective_learning_rate);
    assert!(other > 100.0 * one && one > 0.0);
    let global = KoalaAConfig::new().with_partition(Partition::Global);
    let mut y = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(global, &[5, 7]).unwrap();
    let report = step(&mut optimizer, &problem, &mut y, 0);
    assert!((report.blocks[0].metric.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn the_partition_only_says_by_what_blocks_is_reported() {
    let problem = Problem::new(6, &[5, 7]);
    let runs = [Partition::PerTensor, Partition::Global].map(|partition| {
        let mut x = problem.start::<f64>();
        let config = KoalaAConfig::new().with_partition(partition);
        let mut optimizer = Koala::<f64>::new(config, &[5, 7]).unwrap();
        let reports = run(&mut optimizer, &problem, &mut x, 0..20);
        (x, reports[19].blocks.len())
    });
    assert_eq!(runs[0].0, runs[1].0);
    assert_eq!((runs[0].1, runs[1].1), (2, 1));
}

#[test]
fn options_left_out_are_its_own_defaults() {
    let read = |json: &str| serde_json::from_str::<Config>(json).unwrap();
    assert_eq!(read(r#"{"koala-a": {}}"#), KoalaAConfig::new().into());
    let given = read(
        r#"{"koala-a": {"options": {"gain": 2.0, "weight-decay": {"rate": 0.1}}, "mean": null}}"#,
    );
    let expected = KoalaAConfig::new()
        .with_gain(2.0)
        .with_weight_decay(WeightDecay::decoupled(0.1))
        .with_mean(None);
    assert_eq!(given, expected.into());
    let unknown = serde_json::from_str::<Config>(r#"{"koala-a": {"options": {"gane": 2.0}}}"#);
    assert!(unknown.unwrap_err().to_string().contains("gane"));
    let written = serde_json::to_string(&Config::from(KoalaAConfig::new())).unwrap();
    assert_eq!(read(&written), KoalaAConfig::new().into());
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let config = KoalaAConfig::new;
    let wrong: [(KoalaAConfig, &str); 9] = [
        (
            config().with_initial_process_noise(0.0),
            "initial-process-noise",
        ),
        (config().with_velocity_decay(1.1), "velocity-decay"),
        (
            config().with_second_moment_smoothing(1.0),
            "second-moment-smoothing",
        ),
        (
            config().with_whiteness_smoothing(-0.1),
            "whiteness-smoothing",
        ),
        (config().with_epsilon(f64::NAN), "epsilon"),
        (config().with_rates(-1.0, 0.1), "growth-rate"),
        (config().with_rates(0.1, f64::INFINITY), "decline-rate"),
        (config().with_rate_horizon(0.0), "rate-horizon"),
        (config().with_mean(Some(-1.0)), "mean"),
    ];
    for (config, name) in wrong {
        let error = Koala::<f64>::new(config, &[1]).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidField { field, .. } if field == name),
            "{error}"
        );
    }
    let gain_only = config().with_weight_decay(WeightDecay::gain_only(0.1));
    let error = Koala::<f64>::new(gain_only, &[1]).unwrap_err();
    assert!(error.to_string().contains("gain-only"), "{error}");
}
