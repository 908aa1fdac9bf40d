//! The edge cases, decided: what is skipped, what is missing, what is clamped.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{
    BlockOutcome, Config, Error, Group, Innovations, KoalaMConfig, KoalaVConfig, Layout,
    NegativeResidual, Observation, Outcome, Phase, SkipReason, StepReport, Target, WeightDecay,
};
use proptest::prelude::*;
use support::{Problem, block_methods, configs, methods, run, slices, step, with_options};

fn update(
    optimizer: &mut Koala<f64>,
    x: &mut [Vec<f64>],
    gradients: &[Option<&[f64]>],
    observation: &Observation,
) -> Result<StepReport, Error> {
    optimizer.predict(&mut slices(x)).unwrap();
    optimizer.update(&mut slices(x), gradients, observation)
}

const G: &[f64] = &[0.3, -0.2, 0.5];

fn decayed(config: Config) -> Config {
    with_options(config, |options| {
        options.weight_decay = WeightDecay::coupled(0.1)
    })
}

proptest! {
    /// No move, no decay, no effect on P: as if the block were not there.
    #[test]
    fn a_block_without_usable_gradient_is_left_alone(config in configs(), seed: u64, kind in 0_usize..3) {
        prop_assume!(config.demands().innovation == Innovations::PerBlock);
        let config = with_options(config, |options| options.partition = koala_filter::Partition::PerTensor);
        let problem = Problem::new(seed, &[4, 3]);
        let mut x = problem.start::<f64>();
        let mut optimizer = Koala::<f64>::new(config, &[4, 3]).unwrap();
        run(&mut optimizer, &problem, &mut x, 0..5);
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let (mut with, mut y) = (optimizer.clone(), x.clone());

        let gradient = problem.gradient(5, 0, &x[0]).unwrap();
        let unusable: Option<&[f64]> = [None, Some(&[0.0, 0.0, 0.0][..]), Some(&[5e-10, -5e-10, 5e-10][..])][kind];
        let observation = Observation::from_losses(&problem.losses(5));
        let memory = optimizer.state().memory.swap_remove(1);
        let predicted = x[1].clone();
        let report = optimizer.update(&mut slices(&mut x), &[Some(&gradient[..]), unusable], &observation).unwrap();
        prop_assert_eq!(&x[1], &predicted);
        prop_assert_eq!(optimizer.state().memory.swap_remove(1), memory);
        let reason = if kind == 0 { SkipReason::NoGradient } else { SkipReason::VanishingGradient };
        prop_assert_eq!(report.blocks[1].outcome, BlockOutcome::Skipped(reason));
        prop_assert_eq!(report.outcome, Outcome::Measured);

        let other = with.update(&mut slices(&mut y), &[Some(&gradient[..]), None], &observation).unwrap();
        prop_assert_eq!(report.covariance, other.covariance);
        prop_assert_eq!(x, y);
    }
}

#[test]
fn a_gradient_vanishes_below_a_norm_of_1e_9_whatever_the_decay() {
    for config in block_methods() {
        for (norm, skipped) in [(0.99e-9, true), (1.01e-9, false)] {
            let mut optimizer = Koala::<f64>::new(decayed(config.clone()), &[3]).unwrap();
            let mut x = vec![vec![1.0, 2.0, 3.0]];
            let gradient = [0.6 * norm, 0.0, -0.8 * norm];
            let observation = Observation::from_mean(1.0);
            let report = update(&mut optimizer, &mut x, &[Some(&gradient)], &observation).unwrap();
            assert_eq!(report.skipped() == 1, skipped, "{norm:e}");
            assert_eq!(x[0] == [1.0, 2.0, 3.0], skipped, "{norm:e}");
        }
    }
}

#[test]
fn without_any_usable_gradient_p_stays_as_predicted_and_r_is_measured() {
    for config in block_methods() {
        if matches!(&config, Config::KoalaM(momentum) if !momentum.coast) {
            continue; // It notes which tensors stand still from now on: tests/coasting.rs.
        }
        let mut optimizer = Koala::<f64>::new(decayed(config), &[3, 3]).unwrap();
        let mut x = vec![vec![1.0; 3], vec![2.0; 3]];
        let observation = Observation::from_mean(2.0);
        update(&mut optimizer, &mut x, &[Some(G), Some(G)], &observation).unwrap();
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let (before, predicted) = (x.clone(), optimizer.state());
        let report = optimizer
            .update(
                &mut slices(&mut x),
                &[None, Some(&[0.0; 3][..])],
                &observation,
            )
            .unwrap();
        assert_eq!(report.outcome, Outcome::NoGradient);
        assert_eq!(report.limiting_block, None);
        assert_eq!(x, before);
        assert!((report.measurement_noise - (0.9 * (0.9 + 0.1 * 4.0) + 0.1 * 4.0)).abs() < 1e-12);
        let mut after = optimizer.state();
        assert_eq!((after.filter.phase, after.filter.step), (Phase::Updated, 2));
        after.filter.phase = Phase::Predicted;
        after.filter.step = 1;
        after.filter.measurement_noise = predicted.filter.measurement_noise;
        assert_eq!(after, predicted);
    }
}

type Gradients = [Option<&'static [f64]>; 2];

/// Everything that makes a measurement missing: its cause, the observation, the gradients and a factor on x.
fn missing_measurements() -> Vec<(&'static str, Observation, Gradients, f64)> {
    let good = Observation::from_mean(1.0);
    let both = [Some(G), Some(G)];
    vec![
        (
            "loss is NaN",
            Observation::from_losses(&[1.0, f64::NAN]),
            both,
            1.0,
        ),
        (
            "loss is inf",
            Observation::from_losses(&[1.0, f64::INFINITY]),
            both,
            1.0,
        ),
        (
            "loss is -inf",
            Observation::from_losses(&[1.0, f64::NEG_INFINITY]),
            both,
            1.0,
        ),
        (
            "mean squared loss is inf",
            Observation::from_losses(&[1e200]),
            both,
            1.0,
        ),
        (
            "gradient '1'",
            good,
            [Some(G), Some(&[1.0, f64::NAN, 1.0])],
            1.0,
        ),
        (
            "gradient '0'",
            good,
            [Some(&[f64::INFINITY, 0.0, 1.0]), None],
            1.0,
        ),
        (
            "gradient '1'",
            good,
            [Some(G), Some(&[1e200, 0.0, 0.0])],
            1.0,
        ),
        ("parameter '1'", good, both, f64::INFINITY),
    ]
}

#[test]
fn a_missing_measurement_changes_nothing_but_the_prediction_and_a_counter() {
    for config in methods() {
        for (cause, observation, gradients, element) in missing_measurements() {
            let mut optimizer = Koala::<f64>::new(decayed(config.clone()), &[3, 3]).unwrap();
            let mut x = vec![vec![1.0; 3], vec![2.0; 3]];
            let good = Observation::from_mean(2.0);
            update(&mut optimizer, &mut x, &[Some(G), Some(G)], &good).unwrap();
            optimizer.predict(&mut slices(&mut x)).unwrap();
            x[1][0] *= element;
            let (before, predicted) = (x.clone(), optimizer.state());
            let report = optimizer
                .update(&mut slices(&mut x), &gradients, &observation)
                .unwrap();
            assert!(
                matches!(&report.outcome, Outcome::Missing { cause: found } if found.contains(cause)),
                "{cause}: {:?}",
                report.outcome
            );
            assert_eq!(x, before, "{cause}");
            assert_eq!(report.skipped(), 2);
            assert_eq!(report.missing_in_a_row, 1);
            assert_eq!(report.measurement_noise, predicted.filter.measurement_noise);
            let mut after = optimizer.state();
            assert_eq!(after.filter.missing_in_a_row, 1);
            assert_eq!(after.filter.missing_in_all, 1);
            after.filter.missing_in_a_row = 0;
            after.filter.missing_in_all = 0;
            after.filter.phase = Phase::Predicted;
            after.filter.step -= 1;
            assert_eq!(after, predicted, "{cause}");
        }
    }
}

#[test]
fn the_25th_missing_measurement_in_a_row_is_an_error_and_a_good_one_starts_the_count_anew() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        let (good, bad) = (
            Observation::from_mean(1.0),
            Observation::from_mean(f64::NAN),
        );
        for round in 0..2 {
            for count in 1..25 {
                let report = update(&mut optimizer, &mut x, &[Some(G)], &bad).unwrap();
                assert_eq!(report.missing_in_a_row, count, "round {round}");
            }
            if round == 0 {
                let report = update(&mut optimizer, &mut x, &[Some(G)], &good).unwrap();
                assert_eq!(report.missing_in_a_row, 0);
            }
        }
        let error = update(&mut optimizer, &mut x, &[Some(G)], &bad).unwrap_err();
        assert!(
            matches!(&error, Error::TooManyMissing { count: 25, cause } if cause.contains("NaN")),
            "{error}"
        );
        // The step has ended: the run may go on if the caller so decides.
        assert_eq!(optimizer.filter().phase(), Phase::Updated);
        update(&mut optimizer, &mut x, &[Some(G)], &good).unwrap();
    }
}

#[test]
fn the_number_of_missing_measurements_allowed_can_be_set() {
    for config in methods() {
        let config = with_options(config, |options| options.missing_limit = 2);
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        let bad = Observation::from_mean(f64::INFINITY);
        update(&mut optimizer, &mut x, &[Some(G)], &bad).unwrap();
        let error = update(&mut optimizer, &mut x, &[Some(G)], &bad).unwrap_err();
        assert!(matches!(error, Error::TooManyMissing { count: 2, .. }));
    }
}

#[test]
fn a_gradient_of_a_frozen_parameter_cannot_make_a_measurement_missing() {
    for config in methods() {
        let layout = Layout::new()
            .with_group(Group::frozen())
            .with_parameter("free", &[3], 0)
            .with_parameter("frozen", &[3], 1);
        let mut optimizer = Koala::<f64>::with_layout(config, layout).unwrap();
        let mut x = vec![vec![1.0; 3], vec![2.0; 3]];
        let broken: &[f64] = &[f64::NAN; 3];
        let observation = Observation::from_mean(1.0);
        let report = update(
            &mut optimizer,
            &mut x,
            &[Some(G), Some(broken)],
            &observation,
        )
        .unwrap();
        assert_eq!(report.outcome, Outcome::Measured);
        assert_eq!(
            report.blocks[1].outcome,
            BlockOutcome::Skipped(SkipReason::Frozen)
        );
        assert_eq!(x[1], [2.0; 3]);
    }
}

fn below_target(policy: NegativeResidual, config: Config) -> Config {
    with_options(config, |options| {
        options.target = Target::Constant(2.0);
        options.negative_residual = policy;
    })
}

#[test]
fn a_residual_below_its_target_is_clamped_and_counted() {
    for config in methods() {
        let config = below_target(NegativeResidual::Clamp, config);
        let whole = config.demands().innovation == Innovations::WholeModel;
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        let observation = Observation::from_mean(0.5);
        let report = update(&mut optimizer, &mut x, &[Some(G)], &observation).unwrap();
        assert_eq!(x[0], [1.0; 3]);
        assert_eq!(report.blocks[0].outcome, BlockOutcome::Clamped);
        assert_eq!(report.clamped(), 1);
        assert_eq!(optimizer.state().filter.clamped_in_all, 1);
        // The measurement was made: R and P learn from it.
        let r = if whole { 2.25 } else { 0.9 + 0.1 * 2.25 };
        assert!((report.measurement_noise - r).abs() < 1e-12);
        assert_eq!(report.limiting_block, (!whole).then_some(0));
    }
}

#[test]
fn a_residual_below_its_target_may_be_allowed_and_ascends() {
    for config in methods() {
        let config = below_target(NegativeResidual::Allow, config);
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        let observation = Observation::from_mean(0.5);
        update(&mut optimizer, &mut x, &[Some(G)], &observation).unwrap();
        for (x, g) in x[0].iter().zip(G) {
            assert!((x - 1.0) * g > 0.0);
        }
        assert_eq!(optimizer.state().filter.clamped_in_all, 0);
    }
}

#[test]
fn a_residual_below_its_target_may_be_an_error_that_changes_nothing() {
    for config in methods() {
        let config = below_target(NegativeResidual::Error, config);
        let name = match config.demands().innovation {
            Innovations::PerBlock => "0",
            Innovations::WholeModel => "all",
        };
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let before = optimizer.state();
        let error = optimizer
            .update(&mut slices(&mut x), &[G], &Observation::from_mean(0.5))
            .unwrap_err();
        assert!(
            matches!(&error, Error::LossBelowTarget { block, loss, target }
                if block == name && *loss == 0.5 && *target == 2.0),
            "{error}"
        );
        assert_eq!(x[0], [1.0; 3]);
        assert_eq!(optimizer.state(), before);
        // The same step can be finished with another observation.
        optimizer
            .update(&mut slices(&mut x), &[G], &Observation::from_mean(3.0))
            .unwrap();
    }
}

#[test]
fn a_block_whose_penalty_lifts_it_above_the_target_is_not_clamped() {
    let config = KoalaVConfig::new()
        .with_target(Target::Constant(1.0))
        .with_weight_decay(WeightDecay::coupled(1.0));
    let mut optimizer = Koala::<f64>::new(config, &[3, 3]).unwrap();
    let mut x = vec![vec![1.0; 3], vec![0.0; 3]];
    // L_0 = 0.5 + 1.5 > 1, L_1 = 0.5 < 1.
    let observation = Observation::from_mean(0.5);
    let report = update(&mut optimizer, &mut x, &[Some(G), Some(G)], &observation).unwrap();
    assert_eq!(report.blocks[0].outcome, BlockOutcome::Updated);
    assert!((report.blocks[0].innovation + 1.0).abs() < 1e-12);
    assert_eq!(report.blocks[1].outcome, BlockOutcome::Clamped);
}

#[test]
fn a_perfect_loss_moves_nothing_and_breaks_nothing() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[3]).unwrap();
        let mut x = vec![vec![1.0; 3]];
        for _ in 0..2000 {
            let observation = Observation::from_mean(0.0);
            let report = update(&mut optimizer, &mut x, &[Some(G)], &observation).unwrap();
            assert!(report.measurement_noise >= 0.0);
        }
        assert_eq!(x[0], [1.0; 3]);
    }
}

#[test]
fn frozen_and_skipped_parameters_count_in_the_position_noise() {
    let run = |frozen: bool| {
        let layout = Layout::new()
            .with_group(Group::frozen())
            .with_parameter("a", &[3], 0)
            .with_parameter("b", &[3], usize::from(frozen));
        let config = KoalaMConfig::new();
        let mut optimizer = Koala::<f64>::with_layout(config, layout).unwrap();
        let mut x = vec![vec![1.0; 3], vec![2.0; 3]];
        let observation = Observation::from_mean(1.0);
        update(&mut optimizer, &mut x, &[Some(G), None], &observation).unwrap()
    };
    // |a - x| = sqrt(3 + 12), n = 6.
    let q_x = 0.9 * 1e-2 + 0.1 * 15.0_f64.sqrt() / 6.0;
    for frozen in [false, true] {
        let koala_filter::ProcessNoise::PositionVelocity { position, .. } =
            run(frozen).process_noise
        else {
            panic!()
        };
        assert!((position - q_x).abs() < 1e-15);
    }
}

#[test]
fn an_optimizer_of_nothing_steps() {
    for config in methods() {
        for lengths in [vec![], vec![0]] {
            let mut optimizer = Koala::<f64>::new(config.clone(), &lengths).unwrap();
            let mut x: Vec<Vec<f64>> = lengths.iter().map(|&n| vec![0.0; n]).collect();
            let problem = Problem::new(0, &lengths);
            for number in 0..3 {
                let report = step(&mut optimizer, &problem, &mut x, number);
                assert_eq!(report.outcome, Outcome::NoGradient);
            }
        }
    }
}
