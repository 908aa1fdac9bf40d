//! The mean at which the model is evaluated.

use koala_filter::dense::Koala;
use koala_filter::{Config, Error, Group, KoalaAConfig, KoalaMConfig, Layout};

use crate::evaluated;
use crate::support::{Problem, run, slices, step};

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
