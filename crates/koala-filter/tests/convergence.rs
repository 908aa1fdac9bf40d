//! What is true of convergence, and a case in which it is not.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{KoalaVConfig, MeasurementNoise, Observation, Target};
use support::{dot, methods, noise, slices, with_options};

/// A smooth non-convex risk in three dimensions whose least value is above 0.6:
/// f = 1 + |x|^2 / 20 + (sin 2 x_1 + cos x_2 x_3) / 5.
fn risk(x: &[f64]) -> (f64, Vec<f64>) {
    let product = x[1] * x[2];
    let value = 1.0 + dot(x, x) / 20.0 + ((2.0 * x[0]).sin() + product.cos()) / 5.0;
    let gradient = vec![
        x[0] / 10.0 + 2.0 * (2.0 * x[0]).cos() / 5.0,
        x[1] / 10.0 - x[2] * product.sin() / 5.0,
        x[2] / 10.0 - x[1] * product.sin() / 5.0,
    ];
    (value, gradient)
}

/// Without sampling noise, gains e = 1 / k take the gradient to 0, under a constant target and under an offset one.
#[test]
fn full_batches_and_gains_of_one_over_k_take_the_gradient_to_zero() {
    for target in [
        Target::Constant(0.0),
        Target::Constant(0.5),
        Target::Offset(1.0),
    ] {
        for start in [[2.0, 1.0, -1.5], [-3.0, 2.0, 2.0], [0.1, -0.2, 4.0]] {
            let config = KoalaVConfig::new().with_target(target);
            let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
            let mut x = vec![start.to_vec()];
            for k in 1..=20_000_u32 {
                optimizer.set_gain(1.0 / f64::from(k)).unwrap();
                optimizer.predict(&mut slices(&mut x)).unwrap();
                let (value, gradient) = risk(&x[0]);
                optimizer
                    .update(
                        &mut slices(&mut x),
                        &[&gradient[..]],
                        &Observation::from_mean(value),
                    )
                    .unwrap();
            }
            let (_, gradient) = risk(&x[0]);
            let norm = dot(&gradient, &gradient).sqrt();
            assert!(norm < 1e-4, "{target:?}: {norm:e} at {:?}", x[0]);
        }
    }
}

/// Least squares with a perfect fit, one minibatch at a time: target 0 gives linear convergence with gain 1.
#[test]
fn interpolation_converges_linearly_with_target_zero() {
    const SAMPLES: u64 = 12;
    const DIMENSION: u64 = 4;
    let rows: Vec<Vec<f64>> = (0..SAMPLES)
        .map(|i| (0..DIMENSION).map(|j| noise(10 * i + j)).collect())
        .collect();
    let truth: Vec<f64> = (0..DIMENSION).map(|j| 2.0 * noise(1000 + j)).collect();
    let residual = |row: &[f64], x: &[f64]| dot(row, x) - dot(row, &truth);
    let mean_loss = |x: &[f64]| {
        let squares = rows.iter().map(|row| residual(row, x).powi(2) / 2.0);
        squares.sum::<f64>() / SAMPLES as f64
    };
    for config in methods().into_iter().filter(|it| it.name() != "koala-m") {
        let mut optimizer = Koala::<f64>::new(config.clone(), &[DIMENSION as usize]).unwrap();
        let mut x = vec![vec![0.0; DIMENSION as usize]];
        let mut checkpoints = vec![mean_loss(&x[0])];
        for step in 0..4000_u64 {
            optimizer.predict(&mut slices(&mut x)).unwrap();
            let batch: Vec<&Vec<f64>> = (0..3)
                .map(|draw| {
                    let at = (noise(77_777 + 3 * step + draw) + 1.0) / 2.0 * SAMPLES as f64;
                    &rows[at as usize]
                })
                .collect();
            let residuals: Vec<f64> = batch.iter().map(|row| residual(row, &x[0])).collect();
            let losses: Vec<f64> = residuals.iter().map(|r| r * r / 2.0).collect();
            let gradient: Vec<f64> = (0..DIMENSION as usize)
                .map(|j| {
                    let terms = batch.iter().zip(&residuals).map(|(row, r)| row[j] * r);
                    terms.sum::<f64>() / 3.0
                })
                .collect();
            optimizer
                .update(
                    &mut slices(&mut x),
                    &[&gradient[..]],
                    &Observation::from_losses(&losses),
                )
                .unwrap();
            if (step + 1) % 500 == 0 {
                checkpoints.push(mean_loss(&x[0]));
            }
        }
        println!("{}: {checkpoints:?}", config.name());
        for pair in checkpoints.windows(2) {
            let resolved = pair[0] > 1e-16;
            assert!(
                !resolved || pair[1] < 0.2 * pair[0],
                "{}: {checkpoints:?}",
                config.name()
            );
        }
    }
}

/// Not a promise but its limit: with sampling noise the gain of a sample depends on its own gradient, so the mean step need
/// not lie along the mean gradient. Here f1' = 4 + 2 tanh x (probability 0.4) and f2' = -(1.5 - 0.5 tanh x) (0.6), so the
/// risk is least where 0.7 + 1.1 tanh x = 0, at x = -0.75; with e = 10 / k, Q = R = 1 the iterate leaves it.
#[test]
fn with_sampling_noise_the_iterate_may_leave_the_minimiser() {
    let minimiser = (-0.7_f64 / 1.1).atanh();
    assert!((minimiser + 0.75).abs() < 0.01);
    for seed in 0..5 {
        let config = KoalaVConfig::new()
            .with_process_noise(1.0)
            .with_measurement_noise(MeasurementNoise::Fixed(1.0))
            .with_target(Target::Offset(1.0));
        let mut optimizer = Koala::<f64>::new(config, &[1]).unwrap();
        let mut x = vec![vec![minimiser]];
        for k in 1..=20_000_u32 {
            optimizer.set_gain(10.0 / f64::from(k)).unwrap();
            optimizer.predict(&mut slices(&mut x)).unwrap();
            let first = (noise(seed << 32 | u64::from(k)) + 1.0) / 2.0 < 0.4;
            let tanh = x[0][0].tanh();
            let gradient = if first {
                4.0 + 2.0 * tanh
            } else {
                -(1.5 - 0.5 * tanh)
            };
            // The offset target takes a residual of 1 whatever the loss.
            optimizer
                .update(
                    &mut slices(&mut x),
                    &[&[gradient][..]],
                    &Observation::from_mean(1.0),
                )
                .unwrap();
        }
        assert!(x[0][0] > 5.0, "seed {seed}: {}", x[0][0]);
    }
}

/// KOALA-M too learns a perfect fit, though its velocities do not come to rest linearly.
#[test]
fn koala_m_fits_a_perfect_fit() {
    for config in methods().into_iter().filter(|it| it.name() == "koala-m") {
        let config = with_options(config, |_| {});
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![vec![3.0, -2.0]];
        for _ in 0..3000 {
            optimizer.predict(&mut slices(&mut x)).unwrap();
            let gradient = x[0].clone();
            let loss = dot(&gradient, &gradient) / 2.0;
            optimizer
                .update(
                    &mut slices(&mut x),
                    &[&gradient[..]],
                    &Observation::from_mean(loss),
                )
                .unwrap();
        }
        assert!(dot(&x[0], &x[0]) < 1e-6, "{:?}", x[0]);
    }
}
