//! Bounds and limits that hold in every step.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{
    BlockOutcome, Config, Covariance, DecayRule, KoalaPpConfig, KoalaVConfig, MeasurementNoise,
    Observation, Outcome, PlusPlusVariant, ProcessNoise,
};
use proptest::prelude::*;
use support::{Problem, configs, lengths, slices, step, with_options};

/// P (or p11) as predicted for the next update, from the report of the last one.
fn predicted(config: &Config, covariance: Option<Covariance>, noise: ProcessNoise) -> Option<f64> {
    match (config, noise) {
        (Config::KoalaV(config), ProcessNoise::Scalar(q)) => Some(match covariance {
            Some(Covariance::Scalar(p)) => p + q,
            _ => config.initial_covariance + q,
        }),
        (Config::KoalaM(config), ProcessNoise::PositionVelocity { position, .. }) => {
            Some(match covariance {
                Some(Covariance::Matrix { p11, p12, p22 }) => p11 + 2.0 * p12 + p22 + position,
                _ => {
                    config.initial_position_covariance
                        + 2.0 * config.initial_cross_covariance
                        + config.initial_velocity_covariance
                        + position
                }
            })
        }
        _ => None,
    }
}

proptest! {
    /// |dx_b| <= e L_b / 2 sqrt(P / R).
    #[test]
    fn no_step_of_koala_v_and_m_is_longer_than_its_bound(config in configs(), lengths in lengths(), seed: u64) {
        // Under the gain-only rule x moves along g, but the bound is on h.
        let config = with_options(config, |options| {
            if options.weight_decay.rule == DecayRule::GainOnly {
                options.weight_decay.rule = DecayRule::Coupled;
            }
        });
        let problem = Problem::new(seed, &lengths);
        let mut x = problem.start::<f64>();
        let mut optimizer = Koala::<f64>::new(config.clone(), &lengths).unwrap();
        let mut last = None;
        for number in 0..30 {
            let report = step(&mut optimizer, &problem, &mut x, number);
            let p = predicted(&config, last, report.process_noise);
            last = Some(report.covariance);
            for block in &report.blocks {
                if let Some(p) = p {
                    // S = P |h|^2 + R, and |h| / S <= 1 / (2 sqrt(P R)).
                    prop_assert!(block.innovation_variance >= report.measurement_noise);
                    let bound = report.gain * block.innovation.abs() / 2.0 * (p / report.measurement_noise).sqrt();
                    prop_assert!(block.update_norm <= bound * (1.0 + 1e-12), "{} > {bound}", block.update_norm);
                }
            }
        }
    }

    #[test]
    fn covariances_stay_positive_semi_definite_and_finite(config in configs(), lengths in lengths(), seed: u64, scale in -150..150_i32) {
        let scale = 2.0_f64.powi(scale);
        let problem = Problem::new(seed, &lengths);
        let mut x = problem.start::<f64>();
        let mut optimizer = Koala::<f64>::new(config, &lengths).unwrap();
        for number in 0..50 {
            optimizer.predict(&mut slices(&mut x)).unwrap();
            // Gradients of any size at all, from step to step.
            let size = if number % 3 == 0 { scale } else { 1.0 };
            let gradients: Vec<Vec<f64>> = problem
                .gradients(number, &x)
                .into_iter()
                .map(|g| g.unwrap().iter().map(|g| size * g.clamp(-10.0, 10.0)).collect())
                .collect();
            let gradients: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
            let observation = Observation::from_losses(&problem.losses(number));
            let report = optimizer.update(&mut slices(&mut x), &gradients, &observation).unwrap();
            match report.covariance {
                Covariance::Scalar(p) => prop_assert!(p >= 0.0 && p.is_finite()),
                Covariance::Matrix { p11, p12, p22 } => {
                    prop_assert!(p11 >= 0.0 && p22 >= 0.0 && (p11 + p12 + p22).is_finite());
                    prop_assert!(p11 * p22 - p12 * p12 >= -1e-12 * p11 * p22, "{p11} {p12} {p22}");
                }
                Covariance::Product => {}
            }
        }
    }

    /// P tends to (Q + sqrt(Q^2 + 4 R Q / |g|^2)) / 2 and is never below Q.
    #[test]
    fn koala_v_in_steady_conditions_has_a_steady_covariance(
        p_0 in 0.0..10.0, q in 0.01..2.0, r in 0.05..5.0, g in 0.1..5.0,
    ) {
        let config = KoalaVConfig::new()
            .with_initial_covariance(p_0)
            .with_process_noise(q)
            .with_measurement_noise(MeasurementNoise::Fixed(r));
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![vec![0.0, 0.0]];
        let gradient = [g * 0.6, g * 0.8];
        let mut predicted = p_0 + q;
        for _ in 0..3000 {
            prop_assert!(predicted >= q);
            optimizer.predict(&mut slices(&mut x)).unwrap();
            let report = optimizer
                .update(&mut slices(&mut x), &[&gradient[..]], &Observation::from_mean(1.0))
                .unwrap();
            let Covariance::Scalar(p) = report.covariance else { panic!() };
            predicted = p + q;
        }
        let limit = (q + f64::sqrt(q * q + 4.0 * r * q / (g * g))) / 2.0;
        prop_assert!((predicted / limit - 1.0).abs() < 1e-9, "{predicted} {limit}");
    }

    /// One dimension: after its first step KOALA++ is the extended Kalman filter
    /// P <- P + Q; S = H P H + R; x <- x - e L P H / S; P <- (1 - K H) P.
    #[test]
    fn koala_pp_in_one_dimension_is_the_exact_filter(
        sigma in 0.01..2.0, q in 0.0..1.0, r in 0.1..3.0, symmetric: bool, seed: u64,
    ) {
        let variant = if symmetric { PlusPlusVariant::Symmetric } else { PlusPlusVariant::MinimumNorm };
        let config = KoalaPpConfig::new()
            .with_initial_covariance(sigma)
            .with_process_noise(q)
            .with_variant(variant)
            .with_measurement_noise(MeasurementNoise::Fixed(r));
        let problem = Problem::new(seed, &[1]);
        let mut optimizer = Koala::<f64>::new(config, &[1]).unwrap();
        let mut x = problem.start::<f64>();
        let mut exact: Option<(f64, f64)> = None;
        for number in 0..40 {
            let h = problem.gradient(number, 0, &x[0]).unwrap()[0];
            prop_assume!(h.abs() > 1e-3);
            let losses = problem.losses(number);
            let loss = losses.iter().sum::<f64>() / 4.0;
            let report = step(&mut optimizer, &problem, &mut x, number);
            let s = report.blocks[0].innovation_variance;
            exact = Some(match exact {
                // The first step measures with P = sigma and again with what that left over.
                None => {
                    let first = sigma + q;
                    let p = first * r / (first * h * h + r) + q;
                    (x[0][0], p * r / (p * h * h + r))
                }
                Some((state, p)) => {
                    let p = p + q;
                    let variance = h * p * h + r;
                    prop_assert!((s / variance - 1.0).abs() < 1e-9);
                    let gain = p * h / variance;
                    (state - loss * gain, (1.0 - gain * h) * p)
                }
            });
            let (state, _) = exact.unwrap();
            prop_assert!((state - x[0][0]).abs() < 1e-9 * state.abs().max(1.0));
        }
    }

    /// With sigma at most Q (the defaults are equal) S of the symmetric variant was positive in every case tried.
    #[test]
    fn the_symmetric_koala_pp_never_restarts_with_sigma_at_most_q(
        fraction in 0.0..=1.0, q in 0.001..3.0, r in 0.01..5.0, lengths in lengths(), seed: u64,
    ) {
        let config = KoalaPpConfig::new()
            .with_initial_covariance(fraction * q)
            .with_process_noise(q)
            .with_measurement_noise(MeasurementNoise::Fixed(r));
        let problem = Problem::new(seed, &lengths);
        let mut optimizer = Koala::<f64>::new(config, &lengths).unwrap();
        let mut x = problem.start::<f64>();
        for number in 0..60 {
            let report = step(&mut optimizer, &problem, &mut x, number);
            for block in &report.blocks {
                prop_assert!(block.innovation_variance > 0.0);
                prop_assert_eq!(block.outcome == BlockOutcome::Restarted, number == 0);
            }
        }
    }
}

/// With sigma far above Q, S can come out negative in small blocks, in either variant; the block then starts anew, as in
/// its first step.
#[test]
fn koala_pp_restarts_a_block_whose_innovation_variance_is_not_positive() {
    for variant in [PlusPlusVariant::Symmetric, PlusPlusVariant::MinimumNorm] {
        let config = KoalaPpConfig::new()
            .with_variant(variant)
            .with_initial_covariance(5.0)
            .with_process_noise(0.0)
            .with_measurement_noise(MeasurementNoise::Fixed(0.1));
        assert!(restarts_like_first_steps(&config) > 0, "{variant:?}");
    }
}

/// Number of restarts after the first steps, each of which is a first step.
fn restarts_like_first_steps(config: &KoalaPpConfig) -> usize {
    let mut restarts = 0;
    for seed in 0..50 {
        let problem = Problem::new(seed, &[2]);
        let mut optimizer = Koala::<f64>::new(config.clone(), &[2]).unwrap();
        let mut x = problem.start::<f64>();
        for number in 0..50 {
            let before = x.clone();
            let report = step(&mut optimizer, &problem, &mut x, number);
            if number > 0 && report.blocks[0].outcome == BlockOutcome::Restarted {
                restarts += 1;
                let mut fresh = Koala::<f64>::new(config.clone(), &[2]).unwrap();
                let mut y = before;
                let first = step(&mut fresh, &problem, &mut y, number);
                assert_eq!(x, y);
                assert_eq!(
                    report.blocks[0].innovation_variance,
                    first.blocks[0].innovation_variance
                );
                assert_eq!(optimizer.state().memory, fresh.state().memory);
            }
        }
    }
    restarts
}

proptest! {
    #[test]
    fn a_bound_on_the_update_shortens_it_and_leaves_the_filter_alone(
        config in configs(), lengths in lengths(), seed: u64, bound in 1e-3..1.0,
    ) {
        let problem = Problem::new(seed, &lengths);
        let start = problem.start::<f64>();
        let bounded_config = with_options(config.clone(), |options| options.max_update_norm = Some(bound));
        let (mut x, mut y) = (start.clone(), start.clone());
        let mut free = Koala::<f64>::new(config, &lengths).unwrap();
        let mut bounded = Koala::<f64>::new(bounded_config, &lengths).unwrap();
        let one = step(&mut free, &problem, &mut x, 0);
        let two = step(&mut bounded, &problem, &mut y, 0);
        prop_assert_eq!(&two.outcome, &Outcome::Measured);
        // S, P and R come from unclipped gradients.
        prop_assert_eq!(one.covariance, two.covariance);
        prop_assert_eq!(one.measurement_noise, two.measurement_noise);
        for (one, two) in one.blocks.iter().zip(&two.blocks) {
            prop_assert_eq!(one.innovation_variance, two.innovation_variance);
        }
        prop_assert!(two.update_norm <= bound * (1.0 + 1e-12));
        prop_assert!((two.bound_factor - (bound / one.update_norm).min(1.0)).abs() < 1e-12);
        if bounded.filter().config().options().weight_decay.rule != DecayRule::Decoupled {
            let moved: f64 = y.iter().flatten().zip(start.iter().flatten()).map(|(y, x)| (y - x).powi(2)).sum();
            prop_assert!((moved.sqrt() - two.update_norm).abs() < 1e-9);
            for ((x, y), start) in x.iter().flatten().zip(y.iter().flatten()).zip(start.iter().flatten()) {
                prop_assert!((y - start - two.bound_factor * (x - start)).abs() < 1e-12);
            }
        }
    }
}
