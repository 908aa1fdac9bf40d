//! KOALA-M's parameters without a gradient: they coast on their velocity, or stand still if they are told to.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::Koala;
use koala_filter::{KoalaMConfig, Observation};
use support::{Problem, run, slices};

/// Four steps with gradients for both tensors, one without for the second, and the predict after it: the second tensor
/// before and after that predict.
fn second_tensor(coast: bool) -> (Vec<f64>, Vec<f64>) {
    let mut problem = Problem::new(3, &[4, 5]);
    problem.missing = |step, block| step >= 4 && block == 1;
    let config = KoalaMConfig::new().with_coast(coast);
    let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
    let mut x = problem.start::<f64>();
    run(&mut optimizer, &problem, &mut x, 0..5);
    let before = x.clone();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_ne!(x[0], before[0], "the tensor with a gradient moves");
    (before[1].clone(), x[1].clone())
}

#[test]
fn without_a_gradient_a_tensor_coasts_as_the_paper_has_it() {
    let (before, after) = second_tensor(true);
    assert_ne!(before, after);
}

#[test]
fn without_coasting_it_stands_still() {
    let (before, after) = second_tensor(false);
    assert_eq!(before, after);
}

/// Its velocity is as it was when it stood still, and it goes on with it.
#[test]
fn a_tensor_that_has_a_gradient_again_goes_on_with_its_velocity() {
    let mut problem = Problem::new(5, &[3, 3]);
    problem.missing = |step, block| (4..8).contains(&step) && block == 1;
    let config = KoalaMConfig::new().with_coast(false);
    let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
    let mut x = problem.start::<f64>();
    run(&mut optimizer, &problem, &mut x, 0..4);
    let moving = optimizer.state().memory[1].clone();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let once = optimizer.state().memory[1].clone();
    assert_ne!(moving, once, "the step before it had a gradient");
    let gradient = problem.gradient(4, 0, &x[0]).unwrap();
    let observation = Observation::from_losses(&problem.losses(4));
    optimizer
        .update(
            &mut slices(&mut x),
            &[Some(gradient.as_slice()), None],
            &observation,
        )
        .unwrap();
    let stood = x[1].clone();
    run(&mut optimizer, &problem, &mut x, 5..8);
    assert_eq!((&x[1], &optimizer.state().memory[1]), (&stood, &once));
    run(&mut optimizer, &problem, &mut x, 8..9);
    assert_ne!(x[1], stood);
    let (before, velocity) = (x[1].clone(), optimizer.state().memory[1].clone());
    optimizer.predict(&mut slices(&mut x)).unwrap();
    assert_ne!((&x[1], &optimizer.state().memory[1]), (&before, &velocity));
}

#[test]
fn where_every_tensor_has_a_gradient_it_is_the_same_to_the_bit() {
    let problem = Problem::new(7, &[4, 5]);
    let runs = [true, false].map(|coast| {
        let config = KoalaMConfig::new().with_coast(coast);
        let mut optimizer = Koala::<f32>::new(config, &problem.lengths).unwrap();
        let mut x = problem.start::<f32>();
        let reports = run(&mut optimizer, &problem, &mut x, 0..10);
        (x, reports)
    });
    assert_eq!(runs[0], runs[1]);
}

/// States of before have no word of it: they coast.
#[test]
fn a_state_without_the_option_goes_on_coasting() {
    let problem = Problem::new(9, &[3]);
    let mut optimizer = Koala::<f64>::new(KoalaMConfig::new(), &problem.lengths).unwrap();
    let mut x = problem.start::<f64>();
    run(&mut optimizer, &problem, &mut x, 0..3);
    let mut json = serde_json::to_value(optimizer.state()).unwrap();
    let method = &mut json["filter"]["method"]["koala-m"];
    assert!(
        method.get("moving").is_none(),
        "nothing new is stored by default"
    );
    method["config"]
        .as_object_mut()
        .unwrap()
        .remove("coast")
        .unwrap();
    let resumed = Koala::<f64>::from_state(serde_json::from_value(json).unwrap()).unwrap();
    assert_eq!(resumed, optimizer);
}

#[test]
fn a_state_whose_motion_does_not_fit_is_damaged() {
    let config = KoalaMConfig::new().with_coast(false);
    let optimizer = Koala::<f64>::new(config, &[3, 2]).unwrap();
    let mut json = serde_json::to_value(optimizer.state()).unwrap();
    json["filter"]["method"]["koala-m"]["moving"] = serde_json::json!([true]);
    let error = Koala::<f64>::from_state(serde_json::from_value(json).unwrap()).unwrap_err();
    assert!(error.to_string().contains("motion of 1 tensors"), "{error}");
}
