//! Groups: own gain, own decay, frozen.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{Config, DecayRule, Group, Layout, MeasurementNoise, Partition, WeightDecay};
use proptest::prelude::*;
use support::{Problem, configs, methods, run, slices, step, with_options};

fn layout(group: Group) -> Layout {
    Layout::new()
        .with_group(group)
        .with_parameter("default", &[3], 0)
        .with_parameter("own", &[4], 1)
}

fn start(config: &Config, group: Group, problem: &Problem) -> (Koala<f64>, Vec<Vec<f64>>) {
    let optimizer = Koala::with_layout(config.clone(), layout(group)).unwrap();
    (optimizer, problem.start())
}

proptest! {
    #[test]
    fn a_groups_gain_multiplies_its_own_first_step_alone(config in configs(), seed: u64, gain in 0.0..3.0) {
        let config = with_options(config, |options| {
            options.partition = Partition::PerTensor;
            if options.weight_decay.rule == DecayRule::Decoupled {
                options.weight_decay.rule = DecayRule::Coupled;
            }
        });
        let problem = Problem::new(seed, &[3, 4]);
        let (mut plain, mut x) = start(&config, Group::default(), &problem);
        let (mut own, mut y) = start(&config, Group::default().with_gain(gain), &problem);
        let before = x.clone();
        let one = step(&mut plain, &problem, &mut x, 0);
        let two = step(&mut own, &problem, &mut y, 0);
        prop_assert_eq!(&x[0], &y[0]);
        for ((x, y), before) in x[1].iter().zip(&y[1]).zip(&before[1]) {
            prop_assert!((y - before - gain * (x - before)).abs() < 1e-12);
        }
        prop_assert_eq!(one.covariance, two.covariance);
    }

    #[test]
    fn frozen_parameters_never_move_whatever_the_method(config in configs(), seed: u64) {
        let problem = Problem::new(seed, &[3, 4]);
        let (mut optimizer, mut x) = start(&config, Group::frozen(), &problem);
        let before = x[1].clone();
        run(&mut optimizer, &problem, &mut x, 0..20);
        prop_assert_eq!(&x[1], &before);
        prop_assert!(x[0] != problem.start::<f64>()[0]);
    }

    #[test]
    fn a_groups_decay_replaces_the_optimizers(seed: u64, rate in 0.01..0.5) {
        let problem = Problem::new(seed, &[3, 4]);
        for config in methods() {
            let decay = |rate| with_options(config.clone(), |options| options.weight_decay = WeightDecay::coupled(rate));
            let (mut exempt, mut x) = start(&decay(rate), Group::without_decay(), &problem);
            let (mut none, mut y) = start(&decay(0.0), Group::default(), &problem);
            // Alone in its optimizer, so that the other block's P does not matter.
            let missing: [Option<&[f64]>; 1] = [None];
            let g = problem.gradient(0, 1, &x[1]).unwrap();
            for (optimizer, x) in [(&mut exempt, &mut x), (&mut none, &mut y)] {
                optimizer.predict(&mut slices(x)).unwrap();
                let observation = koala_filter::Observation::from_losses(&problem.losses(0));
                optimizer.update(&mut slices(x), &[missing[0], Some(&g)], &observation).unwrap();
            }
            prop_assert_eq!(&x[1], &y[1]);
        }
    }
}

#[test]
fn a_group_can_be_unfrozen_in_the_middle_of_a_run() {
    for config in methods() {
        let problem = Problem::new(4, &[3, 4]);
        let (mut optimizer, mut x) = start(&config, Group::frozen(), &problem);
        run(&mut optimizer, &problem, &mut x, 0..5);
        optimizer.set_group(1, Group::default()).unwrap();
        let before = x[1].clone();
        run(&mut optimizer, &problem, &mut x, 5..10);
        assert_ne!(x[1], before);
        assert!(x.iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn decoupled_decay_shrinks_by_the_groups_gain_too() {
    let config = with_options(methods()[0].clone(), |options| {
        options.weight_decay = WeightDecay::decoupled(0.1);
        options.gain = 0.5;
        options.measurement_noise = MeasurementNoise::Fixed(1.0);
    });
    let problem = Problem::new(4, &[3, 4]);
    let (mut with, mut x) = start(&config, Group::default().with_gain(0.5), &problem);
    let without = with_options(config, |options| options.weight_decay = WeightDecay::NONE);
    let (mut plain, mut y) = start(&without, Group::default().with_gain(0.5), &problem);
    step(&mut with, &problem, &mut x, 0);
    step(&mut plain, &problem, &mut y, 0);
    for (block, e) in [(0, 0.5), (1, 0.25)] {
        for (x, y) in x[block].iter().zip(&y[block]) {
            assert!((x - (1.0 - e * 0.1) * y).abs() < 1e-15);
        }
    }
}

#[test]
fn parameters_added_before_the_first_step_are_as_if_they_had_been_there() {
    for config in methods() {
        let problem = Problem::new(4, &[3, 4]);
        let (mut whole, mut x) = start(&config, Group::default().with_gain(0.5), &problem);
        let first = Layout::new().with_parameter("default", &[3], 0);
        let mut grown = Koala::with_layout(config, first).unwrap();
        let index = grown
            .add_group(Group::default().with_gain(0.5), [("own", vec![4])])
            .unwrap();
        assert_eq!(index, 1);
        assert_eq!(grown, whole);
        let mut y = problem.start();
        run(&mut whole, &problem, &mut x, 0..10);
        run(&mut grown, &problem, &mut y, 0..10);
        assert_eq!(x, y);
    }
}

#[test]
fn parameters_added_later_leave_what_the_filter_has_learnt() {
    for config in methods() {
        let problem = Problem::new(4, &[3, 4]);
        let alone = Problem::new(4, &[3]);
        let mut optimizer =
            Koala::with_layout(config, Layout::new().with_parameter("default", &[3], 0)).unwrap();
        let mut x: Vec<Vec<f64>> = alone.start();
        run(&mut optimizer, &alone, &mut x, 0..5);
        let before = optimizer.clone();
        optimizer
            .add_group(Group::default(), [("own", vec![4])])
            .unwrap();
        let (filter, kept) = (optimizer.filter(), before.filter());
        assert_eq!(filter.covariance(), kept.covariance());
        assert_eq!(filter.measurement_noise(), kept.measurement_noise());
        assert_eq!(optimizer.state().memory[0], before.state().memory[0]);
        x.push(problem.start()[1].clone());
        let start = x[1].clone();
        run(&mut optimizer, &problem, &mut x, 5..15);
        assert_ne!(x[1], start);
        assert!(x.iter().flatten().all(|x: &f64| x.is_finite()));
        let restored = Koala::from_state(optimizer.state()).unwrap();
        assert_eq!(restored, optimizer);
    }
}

#[test]
fn parameters_that_cannot_be_added_change_nothing() {
    for config in methods() {
        let problem = Problem::new(4, &[3, 4]);
        let (mut optimizer, mut x) = start(&config, Group::default(), &problem);
        run(&mut optimizer, &problem, &mut x, 0..3);
        let before = optimizer.clone();
        let group = Group::default;
        assert!(optimizer.add_group(group(), [("own", vec![1])]).is_err());
        assert!(
            optimizer
                .add_group(group().with_gain(-1.0), [("new", vec![1])])
                .is_err()
        );
        assert!(
            optimizer
                .add_group(group(), [("new", vec![usize::MAX, 2])])
                .is_err()
        );
        assert_eq!(optimizer, before);
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let predicted = optimizer.clone();
        assert!(optimizer.add_group(group(), [("new", vec![1])]).is_err());
        assert_eq!(optimizer, predicted);
    }
}
