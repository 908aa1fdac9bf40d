//! What holds of any settings and any gradients.

use koala_filter::dense::Koala;
use koala_filter::{
    Covariance, KoalaAConfig, KoalaMConfig, MeasurementNoise, Metric, Outcome, Partition,
    PositionNoise, WeightDecay,
};
use proptest::prelude::*;

use crate::support::{Problem, lengths, noise, step};
use crate::{q, update};

/// Any settings at all.
fn settings() -> impl Strategy<Value = KoalaAConfig> {
    (
        (0.01..3.0, 0.0..1.0, any::<bool>(), 0.0..1.0),
        (0.0..1.0, 0.0..1.0, 0.5..100.0, 0.0..1.0),
        (
            prop::option::of(0.0..20.0),
            prop_oneof![Just(0.0), 0.0..2.0],
        ),
    )
        .prop_map(
            |((q, kappa, diagonal, beta), (up, down, horizon, smoothing), (eta, floor))| {
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
                    .with_gradient_floor(floor)
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
            .with_gradient_floor(0.0)
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
