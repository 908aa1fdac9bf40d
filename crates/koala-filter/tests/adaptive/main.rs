//! What holds of KOALA-A alone: one innovation, a metric, a process noise found by whiteness, a mean to be evaluated at.

#![allow(clippy::unwrap_used, clippy::panic)]

mod floor;
mod mean;
mod measurements;
mod properties;
mod readings;
mod reports;
mod settings;
#[path = "../support/mod.rs"]
mod support;

use koala_filter::dense::Koala;
use koala_filter::{Observation, ProcessNoise, StepReport};
use support::slices;

fn update(
    optimizer: &mut Koala<f64>,
    x: &mut [Vec<f64>],
    gradients: &[Option<&[f64]>],
    losses: &[f64],
) -> StepReport {
    optimizer.predict(&mut slices(x)).unwrap();
    let observation = Observation::from_losses(losses);
    optimizer
        .update(&mut slices(x), gradients, &observation)
        .unwrap()
}

fn q(report: &StepReport) -> f64 {
    match report.process_noise {
        ProcessNoise::Scalar(q) => q,
        ProcessNoise::PositionVelocity { .. } => panic!(),
    }
}

fn evaluated(optimizer: &Koala<f64>, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let x: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    optimizer.evaluation(&x).unwrap()
}
