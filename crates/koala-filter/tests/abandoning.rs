//! A step that was begun and will not be finished.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::Phase;
use koala_filter::dense::Koala;
use support::{Problem, methods, run, slices};

#[test]
fn an_abandoned_step_is_a_prediction_and_counts_as_nothing() {
    for config in methods() {
        let problem = Problem::new(2, &[3, 4]);
        let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
        let mut x = problem.start::<f64>();
        run(&mut optimizer, &problem, &mut x, 0..3);
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let predicted = (x.clone(), optimizer.state());
        optimizer.abandon();
        let mut expected = predicted.1.clone();
        assert_eq!(expected.filter.phase, Phase::Predicted);
        expected.filter.phase = Phase::Updated;
        assert_eq!((x.clone(), optimizer.state()), (predicted.0, expected));
        // It goes on.
        run(&mut optimizer, &problem, &mut x, 3..6);
        assert_eq!(optimizer.filter().step(), 6);
        assert_eq!(optimizer.state().filter.missing_in_all, 0);
    }
}

#[test]
fn without_a_step_begun_nothing_is_abandoned() {
    for config in methods() {
        let problem = Problem::new(2, &[3]);
        let mut optimizer = Koala::<f64>::new(config, &problem.lengths).unwrap();
        let mut x = problem.start::<f64>();
        run(&mut optimizer, &problem, &mut x, 0..2);
        let before = optimizer.state();
        optimizer.abandon();
        optimizer.abandon();
        assert_eq!(optimizer.state(), before);
    }
}

#[test]
fn a_second_predict_names_the_way_out() {
    let mut optimizer = Koala::<f64>::new(methods().remove(1), &[3]).unwrap();
    let mut x = vec![vec![1.0; 3]];
    optimizer.predict(&mut slices(&mut x)).unwrap();
    let error = optimizer.predict(&mut slices(&mut x)).unwrap_err();
    assert!(error.to_string().contains("abandon"), "{error}");
}
