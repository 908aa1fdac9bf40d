//! What people have is taken as it is: parameters and gradients of any form give the same bits; reports can be printed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use koala_filter::dense::{Gradient, Koala};
use koala_filter::{KoalaVConfig, NegativeResidual, Observation, Options, Target};
use support::{methods, with_options};

/// Parameters and evaluation after three steps with gradients of this form.
fn trained<G: Gradient<f64>>(
    config: koala_filter::Config,
    gradients: &[G],
) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let mut optimizer = Koala::new(config, &[2, 1]).unwrap();
    let mut x = vec![vec![1.0, -2.0], vec![0.5]];
    for loss in [3.0, 2.0, 1.5] {
        optimizer.predict(&mut x).unwrap();
        let observation = Observation::from_losses(&[loss, loss + 1.0]);
        optimizer.update(&mut x, gradients, &observation).unwrap();
    }
    let evaluated = optimizer.evaluation(&x).unwrap();
    (x, evaluated)
}

#[test]
fn every_form_of_gradients_gives_the_same_bits() {
    for config in methods() {
        let vectors = vec![vec![0.5, -1.0], vec![2.0]];
        let expected = trained(config.clone(), &vectors);
        let slices: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        assert_eq!(trained(config.clone(), &slices), expected);
        let options: Vec<Option<Vec<f64>>> = vectors.iter().cloned().map(Some).collect();
        assert_eq!(trained(config.clone(), &options), expected);
        let borrowed: Vec<Option<&Vec<f64>>> = vectors.iter().map(Some).collect();
        assert_eq!(trained(config.clone(), &borrowed), expected);
        let none: Vec<Option<&[f64]>> = vec![Some(&vectors[0]), None];
        assert_ne!(trained(config, &none), expected);
    }
}

#[test]
fn a_report_is_printed_as_one_line() {
    for config in methods() {
        let config = with_options(config, |options| options.max_update_norm = Some(1e-3));
        let mut optimizer = Koala::new(config, &[2, 1]).unwrap();
        let mut x = [vec![1.0f64, -2.0], vec![0.5]];
        let gradients = [Some([0.5, -1.0].as_slice()), None];
        optimizer.predict(&mut x).unwrap();
        let observation = Observation::from_losses(&[4.0]);
        let report = optimizer.update(&mut x, &gradients, &observation).unwrap();
        let line = report.to_string();
        for part in [
            "step 0: loss 4, R ",
            ", |h| 1.118, ",
            ", |dx| 0.001, ",
            ", shortened to ",
        ] {
            assert!(line.contains(part), "{line}");
        }
        let blocks = report.blocks.len() > 1;
        assert_eq!(line.contains("1 of 2 blocks skipped"), blocks, "{line}");
        for missing in [
            "step 1: measurement missing, ",
            "step 2: measurement missing, ",
        ] {
            optimizer.predict(&mut x).unwrap();
            let observation = Observation::from_losses(&[f64::NAN]);
            let report = optimizer.update(&mut x, &gradients, &observation).unwrap();
            let line = report.to_string();
            assert!(line.starts_with(missing), "{line}");
            assert_eq!(line.ends_with(", 2 in a row"), report.step == 2, "{line}");
        }
    }
}

#[test]
fn what_is_out_of_the_ordinary_stands_in_the_line() {
    let config = KoalaVConfig::new().with_target(Target::Constant(3.0));
    let mut optimizer = Koala::new(config, &[1]).unwrap();
    let mut x = [[1.0f64]];
    let step = |optimizer: &mut Koala<f64>, x: &mut [[f64; 1]; 1], gradient: f64| {
        optimizer.predict(x).unwrap();
        let observation = Observation::from_losses(&[2.0]);
        optimizer.update(x, &[[gradient]], &observation).unwrap()
    };
    let clamped = step(&mut optimizer, &mut x, 1.0).to_string();
    assert!(clamped.ends_with("1 of 1 blocks clamped"), "{clamped}");
    let none = step(&mut optimizer, &mut x, 0.0).to_string();
    assert!(none.contains(", no usable gradient"), "{none}");
    assert_eq!(
        Options::default().negative_residual,
        NegativeResidual::Clamp
    );
}
