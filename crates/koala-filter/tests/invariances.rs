//! What changes nothing, not a bit: groups, the order of blocks, the number of threads; and units.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::passes::on_this_thread;
use koala_filter::dense::{Koala, PIECE, Real};
use koala_filter::{
    Config, Covariance, Group, Layout, MeasurementNoise, Observation, Partition, StepReport,
    WeightDecay,
};
use proptest::prelude::*;
use support::{Problem, configs, lengths, methods, run, slices, with_options};

/// A problem whose blocks stand in another order: block k of it is block `order[k]` of the original.
fn permuted_run<F: Real>(
    config: &Config,
    problem: &Problem,
    order: &[usize],
    steps: u64,
) -> (Vec<Vec<F>>, Vec<StepReport>) {
    let pick = |all: Vec<Vec<F>>| {
        order
            .iter()
            .map(|&block| all[block].clone())
            .collect::<Vec<_>>()
    };
    let mut x = pick(problem.start());
    let layout = order.iter().fold(Layout::new(), |layout, &block| {
        layout.with_parameter(block.to_string(), &[problem.lengths[block]], 0)
    });
    let mut optimizer = Koala::<F>::with_layout(config.clone(), layout).unwrap();
    let mut reports = Vec::new();
    for step in 0..steps {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let gradients: Vec<Option<Vec<F>>> = order
            .iter()
            .zip(&x)
            .map(|(&block, x)| problem.gradient(step, block, x))
            .collect();
        let gradients: Vec<_> = gradients.iter().map(Option::as_deref).collect();
        let observation = Observation::from_losses(&problem.losses(step));
        reports.push(
            optimizer
                .update(&mut slices(&mut x), &gradients, &observation)
                .unwrap(),
        );
    }
    let mut original = vec![Vec::new(); x.len()];
    for (&block, x) in order.iter().zip(x) {
        original[block] = x;
    }
    (original, reports)
}

fn order_of_blocks_changes_nothing<F: Real>(config: &Config, problem: &Problem, order: &[usize]) {
    let straight: Vec<usize> = (0..problem.lengths.len()).collect();
    let (x, reports) = permuted_run::<F>(config, problem, &straight, 20);
    let (y, others) = permuted_run::<F>(config, problem, order, 20);
    assert_eq!(x, y);
    for (one, other) in reports.iter().zip(&others) {
        assert_eq!(one.covariance, other.covariance);
        assert_eq!(one.measurement_noise, other.measurement_noise);
        assert_eq!(one.process_noise, other.process_noise);
        assert_eq!(one.update_norm, other.update_norm);
        assert_eq!(one.gradient_norm, other.gradient_norm);
    }
}

proptest! {
    #[test]
    fn the_order_of_blocks_changes_not_a_bit(
        config in configs(),
        (lengths, order) in lengths().prop_flat_map(|lengths| {
            let order: Vec<usize> = (0..lengths.len()).collect();
            (Just(lengths), Just(order).prop_shuffle())
        }),
        seed: u64,
        some_missing: bool,
        bound in prop::option::of(0.01..1.0),
    ) {
        let config = with_options(config, |options| options.max_update_norm = bound);
        let mut problem = Problem::new(seed, &lengths);
        if some_missing {
            problem.missing = |step, block| (step + block as u64).is_multiple_of(4);
        }
        order_of_blocks_changes_nothing::<f64>(&config, &problem, &order);
        order_of_blocks_changes_nothing::<f32>(&config, &problem, &order);
    }

    #[test]
    fn a_split_into_groups_of_equal_options_changes_not_a_bit(
        config in configs(), lengths in lengths(), seed: u64, of_three: u64,
    ) {
        let problem = Problem::new(seed, &lengths);
        let decay = config.options().weight_decay;
        let layout = lengths.iter().enumerate().fold(
            Layout::new()
                .with_group(Group::default())
                .with_group(Group::default().with_weight_decay(decay)),
            |layout, (block, &length)| {
                let group = of_three.rotate_left(5 * block as u32) % 3;
                layout.with_parameter(block.to_string(), &[length], group as usize)
            },
        );
        fn both<F: Real>(config: &Config, layout: &Layout, problem: &Problem) {
            let (mut x, mut y) = (problem.start::<F>(), problem.start::<F>());
            let mut one = Koala::<F>::new(config.clone(), &problem.lengths).unwrap();
            let mut split = Koala::<F>::with_layout(config.clone(), layout.clone()).unwrap();
            assert_eq!(run(&mut one, problem, &mut x, 0..20), run(&mut split, problem, &mut y, 0..20));
            assert_eq!(x, y);
        }
        both::<f64>(&config, &layout, &problem);
        both::<f32>(&config, &layout, &problem);
    }

    /// (L, g, l_i, R_0, w) -> (c L, c g, c l_i, c^2 R_0, c w): bit-equal for powers of two.
    #[test]
    fn the_unit_of_the_loss_changes_nothing(config in configs(), lengths in lengths(), seed: u64, exponent in 0..40_i32) {
        fn both<F: Real>(config: &Config, problem: &Problem, c: f64) {
            let scaled = with_options(config.clone(), |options| {
                options.weight_decay.rate = match options.weight_decay.rule {
                    koala_filter::DecayRule::Decoupled => options.weight_decay.rate,
                    _ => c * options.weight_decay.rate,
                };
                options.measurement_noise = match options.measurement_noise {
                    MeasurementNoise::Fixed(r) => MeasurementNoise::Fixed(c * c * r),
                    corrected @ MeasurementNoise::BiasCorrected { .. } => corrected,
                    MeasurementNoise::Adaptive { smoothing, initial } => MeasurementNoise::Adaptive {
                        smoothing,
                        initial: c * c * initial,
                    },
                };
            });
            let mut results = Vec::new();
            for (config, c) in [(config.clone(), 1.0), (scaled, c)] {
                let mut x = problem.start::<F>();
                let mut optimizer = Koala::<F>::new(config, &problem.lengths).unwrap();
                for step in 0..20 {
                    optimizer.predict(&mut slices(&mut x)).unwrap();
                    let gradients: Vec<Vec<F>> = problem
                        .gradients(step, &x)
                        .into_iter()
                        .map(|g| g.unwrap().into_iter().map(|g| F::from_f64(c) * g).collect())
                        .collect();
                    let gradients: Vec<&[F]> = gradients.iter().map(Vec::as_slice).collect();
                    let losses: Vec<f64> = problem.losses(step).iter().map(|l| c * l).collect();
                    optimizer
                        .update(&mut slices(&mut x), &gradients, &Observation::from_losses(&losses))
                        .unwrap();
                }
                results.push(x);
            }
            assert_eq!(results[0], results[1]);
        }
        let problem = Problem::new(seed, &lengths);
        both::<f64>(&config, &problem, 2.0_f64.powi(exponent));
        both::<f32>(&config, &problem, 2.0_f64.powi(exponent));
    }
}

#[test]
fn the_unit_of_the_loss_need_not_be_a_power_of_two() {
    for config in methods() {
        let problem = Problem::new(8, &[3, 9]);
        let run = |c: f64| {
            let config = with_options(config.clone(), |options| {
                options.measurement_noise = MeasurementNoise::Adaptive {
                    smoothing: 0.9,
                    initial: c * c,
                };
            });
            let mut x = problem.start::<f64>();
            let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
            for step in 0..30 {
                optimizer.predict(&mut slices(&mut x)).unwrap();
                let gradients: Vec<Vec<f64>> = problem
                    .gradients(step, &x)
                    .into_iter()
                    .map(|g| g.unwrap().iter().map(|g| c * g).collect())
                    .collect();
                let gradients: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
                let losses: Vec<f64> = problem.losses(step).iter().map(|l| c * l).collect();
                let observation = Observation::from_losses(&losses);
                optimizer
                    .update(&mut slices(&mut x), &gradients, &observation)
                    .unwrap();
            }
            x.concat()
        };
        for c in [1e-3, 3.7, 1e4] {
            for (x, y) in run(1.0).iter().zip(run(c)) {
                assert!((x - y).abs() < 1e-9, "{c}: {x} {y}");
            }
        }
    }
}

/// Blocks of more than a piece, and so many small ones that several are worth a thread.
fn threads_change_nothing<F: Real>() {
    let mut lengths = vec![3 * PIECE + 7, 5, 2 * PIECE, PIECE + 1];
    lengths.extend([93; 800]);
    let problem = Problem::new(11, &lengths);
    for config in methods() {
        for (partition, decay) in [
            (Partition::PerTensor, WeightDecay::NONE),
            (Partition::Global, WeightDecay::coupled(0.1)),
        ] {
            let config = with_options(config.clone(), |options| {
                options.partition = partition;
                options.weight_decay = decay;
            });
            let trained = || {
                let mut x = problem.start::<F>();
                let mut optimizer = Koala::<F>::new(config.clone(), &lengths).unwrap();
                let reports = run(&mut optimizer, &problem, &mut x, 0..3);
                (x, reports, optimizer.state())
            };
            let mut results = Vec::new();
            for threads in [1, 2, 7] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                results.push(pool.install(trained));
            }
            results.push(on_this_thread(trained));
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}

#[test]
fn one_thread_and_many_give_the_same_bits_in_f64() {
    threads_change_nothing::<f64>();
}

#[test]
fn one_thread_and_many_give_the_same_bits_in_f32() {
    threads_change_nothing::<f32>();
}

/// |g|^2 is accumulated in f64: a large f32 tensor loses nothing, and squares leave no range.
#[test]
fn sums_of_squares_are_accumulated_in_double_precision() {
    let length = 5 * PIECE + 3;
    let mut optimizer = Koala::<f32>::new(koala_filter::KoalaVConfig::new(), &[length]).unwrap();
    let mut x = vec![vec![0.0_f32; length]];
    let gradient = vec![0.1_f32; length];
    for (scale, step) in [(1.0_f32, 0), (1e25, 1), (1e-5, 2)] {
        let gradient: Vec<f32> = gradient.iter().map(|g| g * scale).collect();
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let report = optimizer
            .update(
                &mut slices(&mut x),
                &[&gradient[..]],
                &Observation::from_mean(1.0),
            )
            .unwrap();
        let expected = f64::from(gradient[0]) * (length as f64).sqrt();
        assert!(
            (report.gradient_norm / expected - 1.0).abs() < 1e-12,
            "step {step}"
        );
        assert_eq!(report.outcome, koala_filter::Outcome::Measured);
    }
    assert!(matches!(
        optimizer.state().filter.phase,
        koala_filter::Phase::Updated
    ));
    let Covariance::Scalar(p) = optimizer_covariance(&mut optimizer, &mut x) else {
        panic!()
    };
    assert!(p > 0.0 && p.is_finite());
}

fn optimizer_covariance(optimizer: &mut Koala<f32>, x: &mut [Vec<f32>]) -> Covariance {
    optimizer.predict(&mut slices(x)).unwrap();
    optimizer
        .update(
            &mut slices(x),
            &[None::<&[f32]>],
            &Observation::from_mean(1.0),
        )
        .unwrap()
        .covariance
}
