//! After a perfect fit it comes to rest where the target lies at infinity.

use koala_filter::dense::Koala;
use koala_filter::{KoalaAConfig, Observation};

use super::support::{dot, noise, slices};

const DIMENSION: u64 = 5;
const SAMPLES: u64 = 24;

/// How far the parameters are from their start after some steps of a logistic regression whose classes a plane separates:
/// the loss falls to 0 as they go to infinity.
fn distances(config: KoalaAConfig, steps: [u64; 2], scale: f64) -> [f64; 2] {
    let rows: Vec<Vec<f64>> = (0..SAMPLES)
        .map(|i| (0..DIMENSION).map(|j| noise(10 * i + j)).collect())
        .collect();
    let plane: Vec<f64> = (0..DIMENSION).map(|j| noise(1000 + j)).collect();
    let mut optimizer = Koala::<f64>::new(config, &[DIMENSION as usize]).unwrap();
    let mut x = vec![vec![0.0; DIMENSION as usize]];
    let mut found = Vec::new();
    for step in 0..steps[1] {
        optimizer.predict(&mut slices(&mut x)).unwrap();
        let mut gradient = vec![0.0; DIMENSION as usize];
        let mut losses = Vec::new();
        for draw in 0..8 {
            let at = (noise(50_000 + 8 * step + draw) + 1.0) / 2.0 * SAMPLES as f64;
            let row = &rows[at as usize];
            let class = dot(row, &plane).signum();
            let margin = class * dot(row, &x[0]);
            losses.push(scale * (-margin).exp().ln_1p());
            let slope = -class * scale / (1.0 + margin.exp()) / 8.0;
            for (sum, value) in gradient.iter_mut().zip(row) {
                *sum += slope * value;
            }
        }
        optimizer
            .update(
                &mut slices(&mut x),
                &[&gradient[..]],
                &Observation::from_losses(&losses),
            )
            .unwrap();
        if steps.contains(&(step + 1)) {
            found.push(dot(&x[0], &x[0]).sqrt());
        }
    }
    [found[0], found[1]]
}

#[test]
fn a_target_at_infinity_is_not_run_after() {
    let went_on = |floor: f64| {
        let config = KoalaAConfig::new().with_gradient_floor(floor);
        let [half, whole] = distances(config, [1500, 3000], 1.0);
        (half, whole / half)
    };
    let (far, without) = went_on(0.0);
    let (near, with) = went_on(0.4);
    assert!(without > 1.5, "{without}: nothing to stop");
    assert!(with < 1.2, "{with}");
    assert!(near < 0.5 * far, "{near} {far}");
}

#[test]
fn in_whatever_unit_the_loss_is() {
    let [one, other] =
        [1.0, 1e6].map(|scale| distances(KoalaAConfig::new(), [500, 1000], scale)[1]);
    assert!((one - other).abs() < 1e-9 * one, "{one} {other}");
}

/// States of before know nothing of the sizes of gradients: they go on as they were.
#[test]
fn a_state_of_before_goes_on_without_it() {
    let start = |floor: f64| {
        let config = KoalaAConfig::new().with_gradient_floor(floor);
        Koala::<f64>::new(config, &[2]).unwrap()
    };
    let step = |optimizer: &mut Koala<f64>, x: &mut [Vec<f64>], loss: f64| {
        optimizer.predict(&mut slices(x)).unwrap();
        let gradient = [loss, -0.5 * loss];
        let observation = Observation::from_mean(loss);
        optimizer
            .update(&mut slices(x), &[&gradient[..]], &observation)
            .unwrap();
    };
    let (mut without, mut x) = (start(0.0), vec![vec![1.0, 2.0]]);
    for number in 0..5 {
        step(&mut without, &mut x, 0.5_f64.powi(number));
    }
    let mut json = serde_json::to_value(without.state()).unwrap();
    let method = &mut json["filter"]["method"]["koala-a"];
    assert!(method["gradients"]["largest"].as_f64().unwrap() > 0.0);
    method.as_object_mut().unwrap().remove("gradients").unwrap();
    let config = method["config"].as_object_mut().unwrap();
    config.remove("gradient-floor").unwrap();
    let mut resumed = Koala::<f64>::from_state(serde_json::from_value(json).unwrap()).unwrap();
    let mut y = x.clone();
    for number in 5..20 {
        step(&mut without, &mut x, 0.5_f64.powi(number));
        step(&mut resumed, &mut y, 0.5_f64.powi(number));
    }
    assert_eq!(x, y);
}
