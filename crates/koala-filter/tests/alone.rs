//! The step of one tensor before the sums of the others are known is the step that the update gives it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::{
    BlockStatistics, Config, Error, Filter, Group, KoalaAConfig, KoalaMConfig, KoalaVConfig,
    Layout, Observation, Partition, Products, TensorStep, WeightDecay,
};
use proptest::prelude::*;
use support::{configs, with_options};

const TENSORS: usize = 4;

fn filter(config: &Config) -> Filter {
    let layout = Layout::new()
        .with_group(
            Group::default()
                .with_gain(0.5)
                .with_weight_decay(WeightDecay::coupled(0.1)),
        )
        .with_group(Group::frozen())
        .with_parameter("a", &[3], 0)
        .with_parameter("b", &[2, 2], 1)
        .with_parameter("c", &[1], 0)
        .with_parameter("frozen", &[2], 2);
    Filter::new(config.clone(), layout).unwrap()
}

fn statistics() -> impl Strategy<Value = BlockStatistics> {
    let square = || prop_oneof![4 => 1e-3..10.0, 1 => Just(0.0)];
    (
        square(),
        0.0..5.0,
        proptest::array::uniform3(square()),
        proptest::array::uniform2(-3.0..3.0),
    )
        .prop_map(|(g2, x2, [pp, vv, spread], [hp, hv])| BlockStatistics {
            gradient_squared: g2,
            decayed_squared: g2 + spread,
            parameter_squared: x2,
            products: Products {
                gradient_previous: hp,
                previous_squared: pp,
                gradient_covariance: hv,
                previous_covariance: hp * hv,
                covariance_squared: vv,
            },
            ..BlockStatistics::default()
        })
}

fn begin(filter: &mut Filter) {
    let deviates = filter
        .begin_predict()
        .unwrap()
        .is_some_and(|motion| motion.deviation.is_some());
    let deviations: &[f64] = if deviates { &[0.1, 0.2, 0.3, 0.0] } else { &[] };
    filter.complete_predict(deviations).unwrap();
}

proptest! {
    #[test]
    fn it_is_the_step_of_the_update(
        config in configs(),
        steps in prop::collection::vec(
            (prop::collection::vec(prop::option::of(statistics()), TENSORS), prop::collection::vec(0.1..5.0, 1..4)),
            1..6,
        ),
    ) {
        prop_assume!(!matches!(config, Config::KoalaA(_)));
        let config = with_options(config, |options| {
            options.partition = Partition::PerTensor;
            options.max_update_norm = None;
        });
        let mut filter = filter(&config);
        for (statistics, losses) in steps {
            begin(&mut filter);
            let before = filter.clone();
            let observation = Observation::from_losses(&losses);
            let early: Vec<_> = statistics
                .iter()
                .enumerate()
                .map(|(position, found)| {
                    found.map(|found| filter.tensor_update(position, &found, &observation).unwrap())
                })
                .collect();
            prop_assert_eq!(&filter, &before);
            let update = filter.update(&statistics, &observation).unwrap();
            for (early, late) in early.iter().zip(&update.steps) {
                if let Some(early) = early {
                    prop_assert_eq!(early, late);
                }
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_left_alone() {
    let mut filter = filter(&KoalaMConfig::new().into());
    begin(&mut filter);
    let mut found = BlockStatistics {
        gradient_squared: 1.0,
        decayed_squared: 1.0,
        ..BlockStatistics::default()
    };
    let well = Observation::from_losses(&[1.0]);
    assert!(matches!(
        filter.tensor_update(0, &found, &well),
        Ok(TensorStep::Move(_))
    ));
    let lost = Observation::from_losses(&[f64::NAN]);
    assert_eq!(filter.tensor_update(0, &found, &lost), Ok(TensorStep::Skip));
    found.gradient_squared = f64::INFINITY;
    assert_eq!(filter.tensor_update(0, &found, &well), Ok(TensorStep::Skip));
}

#[test]
fn what_needs_all_gradients_is_refused() {
    let found = BlockStatistics::default();
    let losses = Observation::from_losses(&[1.0]);
    let refused = |config: Config| {
        let mut filter = filter(&config);
        let early = filter.tensor_update(0, &found, &losses);
        assert!(matches!(early, Err(Error::OutOfPhase { .. })), "{early:?}");
        begin(&mut filter);
        match filter.tensor_update(0, &found, &losses) {
            Err(Error::InvalidField { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(KoalaAConfig::new().into()), "method");
    let global = with_options(KoalaVConfig::new().into(), |options| {
        options.partition = Partition::Global
    });
    assert_eq!(refused(global), "options.partition");
    let bounded = with_options(KoalaVConfig::new().into(), |options| {
        options.max_update_norm = Some(1.0)
    });
    assert_eq!(refused(bounded), "options.max-update-norm");

    let mut filter = filter(&KoalaVConfig::new().into());
    begin(&mut filter);
    let beyond = filter.tensor_update(TENSORS, &found, &losses);
    assert!(matches!(beyond, Err(Error::CountMismatch { .. })));
    let nothing = filter.tensor_update(0, &found, &Observation::from_losses::<f64>(&[]));
    assert_eq!(nothing, Err(Error::EmptyObservation));
}
