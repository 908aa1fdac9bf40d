//! What a report of KOALA's filter holds, in single numbers.

use koala_filter::{BlockOutcome, BlockReport, Covariance, ProcessNoise, StepReport};

use crate::statistics::median;

/// One of P, R and Q: its name, and where it stands in a report, if that method has it.
pub type Variance = (&'static str, fn(&StepReport) -> Option<f64>);

/// Everything of P, R and Q that a report may hold.
pub const VARIANCES: [Variance; 7] = [
    ("P", |report| match report.covariance {
        Covariance::Scalar(p) => Some(p),
        _ => None,
    }),
    ("P of position", |report| match report.covariance {
        Covariance::Matrix { p11, .. } => Some(p11),
        _ => None,
    }),
    ("P of velocity", |report| match report.covariance {
        Covariance::Matrix { p22, .. } => Some(p22),
        _ => None,
    }),
    ("R", |report| Some(report.measurement_noise)),
    ("Q", |report| match report.process_noise {
        ProcessNoise::Scalar(q) => Some(q),
        ProcessNoise::PositionVelocity { .. } => None,
    }),
    ("Q of position", |report| match report.process_noise {
        ProcessNoise::PositionVelocity { position, .. } => Some(position),
        ProcessNoise::Scalar(_) => None,
    }),
    ("Q of velocity", |report| match report.process_noise {
        ProcessNoise::PositionVelocity { velocity, .. } => Some(velocity),
        ProcessNoise::Scalar(_) => None,
    }),
];

/// Whether a block took part in the measurement.
pub fn was_measured(block: &BlockReport) -> bool {
    !matches!(block.outcome, BlockOutcome::Skipped(_))
}

/// The median of a value over the blocks that were measured; NaN if none was.
pub fn over_blocks(report: &StepReport, value: fn(&BlockReport) -> f64) -> f64 {
    let measured = report.blocks.iter().filter(|block| was_measured(block));
    let values: Vec<f64> = measured
        .map(value)
        .filter(|value| value.is_finite())
        .collect();
    median(&values).unwrap_or(f64::NAN)
}
