//! What is measured and what is not: no gradient, zeros, too large a gradient, missing losses, jumps.

use koala_filter::dense::Koala;
use koala_filter::{KoalaAConfig, Observation, Outcome};

use crate::support::{Problem, noise, run, slices};
use crate::{evaluated, q, update};

#[test]
fn a_gradient_of_zeros_measures_r_and_moves_nothing_now_or_next() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[2]).unwrap();
    let mut x = vec![vec![1.0, 2.0]];
    let g: &[f64] = &[0.3, -0.2];
    update(&mut optimizer, &mut x, &[Some(g)], &[1.0]);
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let (predicted, covariance) = (x.clone(), optimizer.filter().covariance());
    let noise = optimizer.filter().process_noise();
    let mean = evaluated_anyway(&optimizer);
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[Some(&[0.0, 0.0][..])],
            &Observation::from_mean(3.0),
        )
        .unwrap();
    assert_eq!(report.outcome, Outcome::NoGradient);
    assert_eq!(x, predicted);
    assert_eq!(report.covariance, covariance);
    assert_eq!(report.process_noise, noise);
    assert!((report.measurement_noise - (0.09 * 1.0 + 0.1 * 9.0) / 0.19).abs() < 1e-12);
    // The mean takes part.
    assert_ne!(evaluated(&optimizer, &x)[0], mean);
    // No tensor moves at the next predict.
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_eq!(x, predicted);
}

/// The stored mean, in either phase.
fn evaluated_anyway(optimizer: &Koala<f64>) -> Vec<f64> {
    optimizer.state().memory[0].third.clone()
}

#[test]
fn a_tensor_without_a_gradient_stands_still_and_keeps_its_velocity() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[2, 2]).unwrap();
    let mut x = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    let g: &[f64] = &[0.3, -0.2];
    for _ in 0..3 {
        update(&mut optimizer, &mut x, &[Some(g), Some(g)], &[1.0]);
    }
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let observation = Observation::from_mean(1.0);
    let (still, before) = (x[1].clone(), optimizer.state().memory[1].clone());
    optimizer
        .update(&mut slices(&mut x), &[Some(g), None], &observation)
        .unwrap();
    let after = optimizer.state().memory[1].clone();
    assert_eq!(x[1], still);
    assert_eq!(
        (&after.first, &after.second),
        (&before.first, &before.second)
    );
    assert_ne!(after.third, before.third);
    // Nor does the next predict move it; one after a gradient does.
    update(&mut optimizer, &mut x, &[Some(g), Some(g)], &[1.0]);
    assert_ne!(x[1], still);
    let moved = x[1].clone();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_ne!(x[1], moved);
}

#[test]
fn a_missing_measurement_touches_neither_metric_nor_noise_nor_mean() {
    let problem = Problem::new(3, &[4, 1]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[4, 1]).unwrap();
    run(&mut optimizer, &problem, &mut x, 0..6);
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let (predicted, before) = (x.clone(), optimizer.state());
    // The loss, a gradient, and one whose square is not finite.
    for (loss, gradient) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, 1e200)] {
        let mut tried = optimizer.clone();
        let report = tried
            .update(
                &mut slices(&mut x),
                &[Some(&[gradient; 4][..]), Some(&[1.0][..])],
                &Observation::from_mean(loss),
            )
            .unwrap();
        assert!(matches!(report.outcome, Outcome::Missing { .. }));
        assert_eq!(report.whiteness, None);
        assert_eq!(x, predicted);
        let mut after = tried.state();
        assert_eq!(after.memory, before.memory);
        after.filter.phase = before.filter.phase;
        after.filter.step = before.filter.step;
        (after.filter.missing_in_a_row, after.filter.missing_in_all) = (0, 0);
        assert_eq!(after.filter, before.filter);
    }
}

/// A second moment that single precision cannot hold makes the measurement missing, since it would stay for good.
#[test]
fn a_gradient_whose_square_leaves_single_precision_is_missing() {
    let mut optimizer = Koala::<f32>::new(KoalaAConfig::new(), &[2]).unwrap();
    let mut x = vec![vec![1.0_f32, 2.0]];
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[&[1e30_f32, 1.0][..]],
            &Observation::from_mean(1.0),
        )
        .unwrap();
    assert!(matches!(report.outcome, Outcome::Missing { .. }));
    assert_eq!(x[0], [1.0, 2.0]);
    assert_eq!(optimizer.state().memory[0].second, [0.0, 0.0]);
}

/// f(x) = |x|^2 / 2 in one dimension and in batches of one: it gets there, also over a jump of the loss by 1e6.
#[test]
fn one_parameter_in_batches_of_one_gets_there_over_a_jump() {
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[1]).unwrap();
    let mut x = vec![vec![3.0]];
    for number in 0..600_u64 {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let centre = 0.1 * noise(number);
        let jump = if number == 100 { 1e6 } else { 1.0 };
        let off = x[0][0] - centre;
        let observation = Observation::from_mean(jump * off * off / 2.0);
        let report = optimizer
            .update(&mut slices(&mut x), &[&[jump * off][..]], &observation)
            .unwrap();
        assert!(q(&report).is_finite() && x[0][0].is_finite());
    }
    assert!(evaluated(&optimizer, &x)[0][0].abs() < 0.1);
}
