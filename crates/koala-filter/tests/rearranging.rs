//! A filter that follows a model whose parameters have changed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{BlockStatistics, Error, Filter, Group, Layout, Observation, Partition};
use support::{Problem, methods, run, with_options};

/// A filter over tensors of 3 and 4 elements after a few steps.
fn trained(config: koala_filter::Config) -> Filter {
    let problem = Problem::new(1, &[3, 4]);
    let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
    let mut x = problem.start::<f64>();
    run(&mut optimizer, &problem, &mut x, 0..4);
    optimizer.filter().clone()
}

fn layout(parameters: &[(&str, usize, usize)]) -> Layout {
    parameters.iter().fold(
        Layout::new().with_group(Group::default().with_gain(0.5)),
        |layout, &(name, length, group)| layout.with_parameter(name, &[length], group),
    )
}

/// What the filter would say to the same sums of one tensor.
fn next_step(filter: &Filter, position: usize) -> koala_filter::TensorStep {
    let mut filter = filter.clone();
    filter.complete_predict(&[1.0]).unwrap();
    let mut found = BlockStatistics::default();
    (found.gradient_squared, found.decayed_squared) = (2.0, 2.0);
    found.products.previous_squared = 1.0;
    found.products.gradient_previous = 0.5;
    found.metric.second_moment = 1.0;
    found.metric.weighted_second_moment = 1.0;
    found.metric.weighted_gradient = 1.0;
    let mut statistics = vec![None; filter.layout().parameters().len()];
    statistics[position] = Some(found);
    let observation = Observation::from_losses(&[1.0, 2.0]);
    filter.update(&statistics, &observation).unwrap().steps[position]
}

#[test]
fn what_goes_on_keeps_what_was_learnt_and_what_is_new_starts() {
    for config in methods() {
        let mut filter = trained(config.clone());
        let before = filter.clone();
        // The second tensor first and pruned, a new one between, the first one grown and in another group.
        let changed = layout(&[("1", 2, 0), ("new", 5, 0), ("0", 6, 1)]);
        filter
            .rearrange(changed.clone(), &[Some(1), None, Some(0)])
            .unwrap();
        assert_eq!(filter.layout(), &changed);
        assert_eq!(filter.covariance(), before.covariance());
        assert_eq!(filter.measurement_noise(), before.measurement_noise());
        assert_eq!(filter.step(), before.step());
        assert_eq!(filter.moves(0), before.moves(1));
        assert_eq!(filter.averaged(0), before.averaged(1));
        assert!(!filter.averaged(1));
        if config.memory().mean_slot().is_none() && config.name() != "koala-m" {
            assert_eq!(next_step(&filter, 0), next_step(&before, 1));
        }
        // A new tensor is as one that was added.
        let half = Group::default().with_gain(0.5);
        let mut added = before.clone();
        added.add_group(half, [("new", vec![5])]).unwrap();
        let mut same = before.clone();
        let all = layout(&[("0", 3, 0), ("1", 4, 0), ("new", 5, 1)]);
        same.rearrange(all, &[Some(0), Some(1), None]).unwrap();
        assert_eq!(same, added);
    }
}

#[test]
fn one_block_of_all_goes_on_whatever_the_tensors() {
    for config in methods() {
        let config = with_options(config, |options| options.partition = Partition::Global);
        let mut filter = trained(config);
        filter
            .rearrange(
                layout(&[("a", 3, 0), ("b", 4, 0), ("c", 1, 0)]),
                &[Some(0), Some(1), None],
            )
            .unwrap();
        assert_eq!(filter.layout().parameters().len(), 3);
    }
}

#[test]
fn what_cannot_be_followed_is_refused_and_changes_nothing() {
    for config in methods() {
        let mut filter = trained(config);
        let before = filter.clone();
        let two = || layout(&[("0", 3, 0), ("1", 4, 0)]);
        for (changed, from) in [
            (two(), vec![Some(0)]),
            (two(), vec![Some(0), Some(0)]),
            (two(), vec![Some(0), Some(2)]),
            (layout(&[("0", 3, 0), ("0", 4, 0)]), vec![Some(0), Some(1)]),
            (layout(&[("0", 3, 7)]), vec![Some(0)]),
        ] {
            assert!(filter.rearrange(changed, &from).is_err());
            assert_eq!(filter, before);
        }
        filter.complete_predict(&[0.0]).unwrap();
        let error = filter.rearrange(two(), &[Some(0), Some(1)]).unwrap_err();
        assert!(matches!(error, Error::OutOfPhase { .. }), "{error}");
    }
}
