//! Every misuse is an error that says what to do, and changes nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{
    BlockStatistics, Config, DecayRule, Error, Filter, Group, KoalaMConfig, KoalaPpConfig,
    KoalaVConfig, Layout, MeasurementNoise, Observation, Phase, PositionNoise, Schedule, Target,
    WeightDecay,
};
use support::{methods, slices, with_options};

fn observation() -> Observation {
    Observation::from_mean(1.0)
}

#[test]
fn update_without_predict_is_an_error_that_says_what_to_do() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![vec![1.0, 2.0]];
        let before = optimizer.state();
        let error = optimizer
            .update(&mut slices(&mut x), &[&[1.0, 1.0][..]], &observation())
            .unwrap_err();
        assert!(error.to_string().contains("call predict"), "{error}");
        assert_eq!((x, optimizer.state()), (vec![vec![1.0, 2.0]], before));
    }
}

#[test]
fn predict_twice_is_an_error_that_says_what_to_do() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![vec![1.0, 2.0]];
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let (before, at) = (optimizer.state(), x.clone());
        let error = optimizer.predict(&mut slices(&mut x)).unwrap_err();
        assert!(error.to_string().contains("call update first"), "{error}");
        assert_eq!((x, optimizer.state()), (at, before));
    }
}

#[test]
fn update_twice_is_an_error() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[2]).unwrap();
        let mut x = vec![vec![1.0, 2.0]];
        let gradient: &[f64] = &[1.0, 1.0];
        optimizer.predict(&mut slices(&mut x)).unwrap();
        optimizer
            .update(&mut slices(&mut x), &[gradient], &observation())
            .unwrap();
        let error = optimizer
            .update(&mut slices(&mut x), &[gradient], &observation())
            .unwrap_err();
        assert!(matches!(
            error,
            Error::OutOfPhase {
                called: "update",
                ..
            }
        ));
    }
}

#[test]
fn another_number_of_parameters_or_gradients_is_an_error_with_both_numbers() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[2, 1]).unwrap();
        let mut x = vec![vec![1.0, 2.0], vec![3.0]];
        let mut fewer = vec![vec![1.0, 2.0]];
        let mismatch = |what, found| Error::CountMismatch {
            what,
            expected: 2,
            found,
        };
        assert_eq!(
            optimizer.predict(&mut slices(&mut fewer)).unwrap_err(),
            mismatch("parameters", 1)
        );
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let before = (optimizer.state(), x.clone());
        let g: [&[f64]; 3] = [&[1.0, 1.0], &[1.0], &[1.0]];
        assert_eq!(
            optimizer
                .update(&mut slices(&mut fewer), &g[..2], &observation())
                .unwrap_err(),
            mismatch("parameters", 1)
        );
        assert_eq!(
            optimizer
                .update(&mut slices(&mut x), &g, &observation())
                .unwrap_err(),
            mismatch("gradients", 3)
        );
        assert_eq!(before, (optimizer.state(), x));
    }
}

#[test]
fn another_length_is_an_error_that_names_the_parameter() {
    for config in methods() {
        let layout = Layout::new()
            .with_parameter("weight", &[2, 2], 0)
            .with_parameter("bias", &[2], 0);
        let mut optimizer = Koala::<f64>::with_layout(config, layout).unwrap();
        let mut x = vec![vec![1.0; 4], vec![2.0; 2]];
        let mut longer = vec![vec![1.0; 4], vec![2.0; 3]];
        let error = optimizer.predict(&mut slices(&mut longer)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter of 'bias' has 3 elements, but this optimizer was made for 2"
        );
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let short: [&[f64]; 2] = [&[1.0; 3], &[1.0; 2]];
        let error = optimizer
            .update(&mut slices(&mut x), &short, &observation())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "gradient of 'weight' has 3 elements, but this optimizer was made for 4"
        );
    }
}

#[test]
fn an_observation_without_a_loss_is_an_error() {
    for config in methods() {
        let mut optimizer = Koala::<f64>::new(config, &[1]).unwrap();
        let mut x = vec![vec![1.0]];
        optimizer.predict(&mut slices(&mut x)).unwrap();
        for empty in [Observation::default(), Observation::from_losses::<f64>(&[])] {
            let error = optimizer
                .update(&mut slices(&mut x), &[&[1.0][..]], &empty)
                .unwrap_err();
            assert_eq!(error, Error::EmptyObservation);
        }
        assert_eq!(optimizer.filter().phase(), Phase::Predicted);
    }
}

#[test]
fn the_filter_alone_checks_the_number_of_statistics() {
    let mut filter = Filter::new(KoalaVConfig::new(), Layout::from_lengths(&[1, 1])).unwrap();
    filter.complete_predict(&[]).unwrap();
    let error = filter
        .update(&[Some(BlockStatistics::default())], &observation())
        .unwrap_err();
    assert!(matches!(
        error,
        Error::CountMismatch {
            what: "statistics",
            expected: 2,
            found: 1
        }
    ));
}

/// A configuration and the field that is wrong in it.
fn wrong_fields() -> Vec<(Config, &'static str)> {
    let nan = f64::NAN;
    let infinite = f64::INFINITY;
    let mut cases: Vec<(Config, &'static str)> = Vec::new();
    for bad in [-1.0, nan, infinite] {
        let v = KoalaVConfig::new;
        let m = KoalaMConfig::new;
        let pp = KoalaPpConfig::new;
        cases.extend([
            (
                v().with_initial_covariance(bad).into(),
                "initial-covariance",
            ),
            (v().with_process_noise(bad).into(), "process-noise"),
            (
                m().with_initial_covariance(bad, 0.0, 0.1).into(),
                "initial-position-covariance",
            ),
            (
                m().with_initial_covariance(0.1, bad, 0.1).into(),
                "initial-cross-covariance",
            ),
            (
                m().with_initial_covariance(0.1, 0.0, bad).into(),
                "initial-velocity-covariance",
            ),
            (m().with_velocity_decay(bad).into(), "velocity-decay"),
            (
                m().with_position_noise(PositionNoise::Authors { initial: bad })
                    .into(),
                "position-noise.authors.initial",
            ),
            (
                m().with_position_noise(PositionNoise::Fixed(bad)).into(),
                "position-noise.fixed",
            ),
            (m().with_velocity_noise(bad).into(), "velocity-noise"),
            (
                pp().with_initial_covariance(bad).into(),
                "initial-covariance",
            ),
            (pp().with_process_noise(bad).into(), "process-noise"),
        ]);
    }
    cases.push((
        KoalaMConfig::new().with_velocity_decay(1.01).into(),
        "velocity-decay",
    ));
    cases.push((
        KoalaMConfig::new()
            .with_initial_covariance(0.1, 0.11, 0.1)
            .into(),
        "initial-cross-covariance",
    ));
    let cosine = |warmup, floor| Schedule::Cosine {
        warmup,
        total: 10,
        floor,
    };
    let falling = |warmup, decay, floor| Schedule::WarmupStableDecay {
        warmup,
        total: 10,
        decay,
        floor,
    };
    let milestones = |milestones: &[u64], factor| Schedule::Milestones {
        warmup: 0,
        milestones: milestones.to_vec(),
        factor,
    };
    for config in methods() {
        let mut options = |field, change: &dyn Fn(&mut koala_filter::Options)| {
            cases.push((
                with_options(config.clone(), |options| change(options)),
                field,
            ));
        };
        for bad in [-1.0, nan, infinite] {
            options("options.gain", &|o| o.gain = bad);
            options("options.weight-decay.rate", &|o| {
                o.weight_decay = WeightDecay::decoupled(bad);
            });
            options("options.target.offset", &|o| o.target = Target::Offset(bad));
            options("options.target.relative", &|o| {
                o.target = Target::Relative(bad)
            });
            options("options.max-update-norm", &|o| {
                o.max_update_norm = Some(bad)
            });
            options("options.measurement-noise.fixed", &|o| {
                o.measurement_noise = MeasurementNoise::Fixed(bad);
            });
            options("options.measurement-noise.adaptive.initial", &|o| {
                o.measurement_noise = MeasurementNoise::Adaptive {
                    smoothing: 0.9,
                    initial: bad,
                };
            });
        }
        for bad in [-0.01, 1.01, nan] {
            options("options.measurement-noise.adaptive.smoothing", &|o| {
                o.measurement_noise = MeasurementNoise::Adaptive {
                    smoothing: bad,
                    initial: 1.0,
                };
            });
            options("options.schedule.floor", &|o| o.schedule = cosine(0, bad));
            options("options.schedule.floor", &|o| {
                o.schedule = falling(0, 1, bad)
            });
            options("options.schedule.factor", &|o| {
                o.schedule = milestones(&[1], bad);
            });
        }
        options("options.measurement-noise.fixed", &|o| {
            o.measurement_noise = MeasurementNoise::Fixed(0.0);
        });
        options("options.max-update-norm", &|o| {
            o.max_update_norm = Some(0.0)
        });
        options("options.missing-limit", &|o| o.missing_limit = 0);
        options("options.schedule.warmup", &|o| o.schedule = cosine(11, 0.0));
        options("options.schedule.warmup", &|o| {
            o.schedule = falling(6, 5, 0.0);
        });
        options("options.schedule.warmup", &|o| {
            o.schedule = falling(u64::MAX, 5, 0.0);
        });
        options("options.schedule.milestones", &|o| {
            o.schedule = milestones(&[3, 2], 0.1);
        });
        for bad in [nan, infinite] {
            options("options.target.constant", &|o| {
                o.target = Target::Constant(bad);
            });
        }
    }
    cases
}

#[test]
fn every_wrong_field_is_refused_by_name() {
    for (config, expected) in wrong_fields() {
        let Err(Error::InvalidField { field, .. }) = config.validate() else {
            panic!("{expected} of {config:?} passed");
        };
        assert_eq!(field, expected);
        let error = Koala::<f32>::new(config, &[1]).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn every_wrong_group_is_refused_by_name() {
    let bad_gain = Group::default().with_gain(-1.0);
    let bad_decay = Group::default().with_weight_decay(WeightDecay::coupled(f64::NAN));
    for (group, expected) in [
        (bad_gain, "groups[1].gain"),
        (bad_decay, "groups[1].weight-decay.rate"),
    ] {
        for config in methods() {
            let layout = Layout::new()
                .with_group(group.clone())
                .with_parameter("x", &[1], 1);
            let error = Koala::<f64>::with_layout(config, layout).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}

#[test]
fn a_layout_that_contradicts_itself_is_refused_by_name() {
    let twice = Layout::new()
        .with_parameter("x", &[1], 0)
        .with_parameter("x", &[2], 0);
    let homeless = Layout::new().with_parameter("x", &[1], 1);
    let endless = Layout::new().with_parameter("x", &[usize::MAX, 2], 0);
    for (layout, expected) in [
        (twice, "parameter name = \"x\""),
        (homeless, "parameter 'x': group = 1"),
        (endless, "parameter 'x': shape"),
    ] {
        let error = Filter::new(KoalaVConfig::new(), layout).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn gain_only_decay_is_refused_for_koala_pp_wherever_it_comes_from() {
    let gain_only = WeightDecay {
        rate: 0.1,
        rule: DecayRule::GainOnly,
    };
    let config = KoalaPpConfig::new().with_weight_decay(gain_only);
    let error = Koala::<f64>::new(config, &[1]).unwrap_err();
    assert!(
        error.to_string().starts_with("weight-decay.rule"),
        "{error}"
    );

    let group = Group::default().with_weight_decay(gain_only);
    let layout = Layout::new()
        .with_group(group.clone())
        .with_parameter("x", &[1], 1);
    assert!(Koala::<f64>::with_layout(KoalaPpConfig::new(), layout).is_err());

    let mut optimizer = Koala::<f64>::new(KoalaPpConfig::new(), &[1]).unwrap();
    let before = optimizer.state();
    assert!(optimizer.set_group(0, group).is_err());
    assert_eq!(optimizer.state(), before);
}

#[test]
fn gains_and_groups_set_later_are_checked_too() {
    let mut optimizer = Koala::<f64>::new(KoalaVConfig::new(), &[1]).unwrap();

    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let error = optimizer.set_gain(bad).unwrap_err();
        assert!(error.to_string().starts_with("options.gain"), "{error}");
        assert!(
            optimizer
                .set_group(0, Group::default().with_gain(bad))
                .is_err()
        );
    }
    assert!(optimizer.set_group(1, Group::default()).is_err());
    assert_eq!(optimizer.filter().gain(), 1.0);
}

#[test]
fn a_model_of_other_parameters_is_told_from_the_state_by_its_first_difference() {
    let layout = Layout::new()
        .with_parameter("weight", &[2, 3], 0)
        .with_parameter("bias", &[2], 0);
    let renamed = Layout::new()
        .with_parameter("weight", &[2, 3], 0)
        .with_parameter("offset", &[2], 0);
    let reshaped = Layout::new()
        .with_parameter("weight", &[3, 2], 0)
        .with_parameter("bias", &[2], 0);
    let shorter = Layout::new().with_parameter("weight", &[2, 3], 0);
    assert_eq!(layout.check_same_parameters(&layout), Ok(()));
    for (other, words) in [
        (renamed, "'bias' of shape [2] where the model has 'offset'"),
        (
            reshaped,
            "'weight' of shape [2, 3] where the model has 'weight' of shape [3, 2]",
        ),
        (shorter, "2 parameters, the model 1"),
    ] {
        let error = layout.check_same_parameters(&other).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn configurations_are_read_with_defaults_and_without_unknown_fields() {
    let config: Config = serde_json::from_str(r#"{"koala-m": {"velocity-noise": 0.5}}"#).unwrap();
    assert_eq!(config, KoalaMConfig::new().with_velocity_noise(0.5).into());
    for config in methods() {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        let name = config.name();
        let unknown = format!(r#"{{"{name}": {{"options": {{"gian": 1}}}}}}"#);
        let error = serde_json::from_str::<Config>(&unknown).unwrap_err();
        assert!(error.to_string().contains("gian"), "{error}");
    }
}
