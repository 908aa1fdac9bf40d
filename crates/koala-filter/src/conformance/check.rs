//! A run through an adapter, compared with the reference.

use super::case::{Case, Step};
use crate::report::{ProcessNoise, StepReport};

/// An optimizer of another framework, holding a model with the parameters of a [`Case`].
pub trait Adapter {
    /// Moves the model to its prediction.
    ///
    /// # Errors
    /// Those of the optimizer, as text.
    fn predict(&mut self) -> Result<(), String>;

    /// Updates the model with these gradients and losses.
    ///
    /// # Errors
    /// Those of the optimizer, as text.
    fn update(&mut self, step: &Step) -> Result<StepReport, String>;

    /// The parameters as they are now, in the layout's order, each in row-major order.
    fn parameters(&self) -> Vec<Vec<f32>>;

    /// The parameters at which the model is to be evaluated, after an update.
    ///
    /// # Errors
    /// Those of the optimizer, as text.
    fn evaluated(&self) -> Result<Vec<Vec<f32>>, String>;
}

/// Steps a case through an adapter. Every element of every parameter must agree to `tolerance` times the largest element
/// of its parameter, R and the loss to `tolerance` relatively, the outcome of every block exactly. Returns the largest
/// relative difference.
///
/// # Errors
/// A text that names the case, the step, the parameter and the difference.
pub fn check(case: &Case, adapter: &mut dyn Adapter, tolerance: f64) -> Result<f64, String> {
    let name = &case.name;
    let references = case
        .reference()
        .map_err(|error| format!("case '{name}': reference: {error}"))?;
    let mut worst = 0.0_f64;
    for (at, (step, reference)) in case.steps.iter().zip(&references).enumerate() {
        let place = |what: &str| format!("case '{name}', step {at}, {what}");
        adapter
            .predict()
            .map_err(|error| format!("{}: {error}", place("predict")))?;
        let found = adapter.parameters();
        worst = worst.max(
            compare(case, &reference.predicted, &found, tolerance)
                .map_err(|error| format!("{}: {error}", place("after predict")))?,
        );
        let report = adapter
            .update(step)
            .map_err(|error| format!("{}: {error}", place("update")))?;
        let found = adapter.parameters();
        worst = worst.max(
            compare(case, &reference.updated, &found, tolerance)
                .map_err(|error| format!("{}: {error}", place("after update")))?,
        );
        let found = adapter
            .evaluated()
            .map_err(|error| format!("{}: {error}", place("evaluation")))?;
        worst = worst.max(
            compare(case, &reference.evaluated, &found, tolerance)
                .map_err(|error| format!("{}: {error}", place("evaluation")))?,
        );
        worst = worst.max(
            compare_reports(&reference.report, &report, tolerance)
                .map_err(|error| format!("{}: {error}", place("report")))?,
        );
    }
    Ok(worst)
}

fn compare(
    case: &Case,
    expected: &[Vec<f32>],
    found: &[Vec<f32>],
    tolerance: f64,
) -> Result<f64, String> {
    if expected.len() != found.len() {
        return Err(format!(
            "{} parameters, not {}",
            found.len(),
            expected.len()
        ));
    }
    let mut worst = 0.0_f64;
    let parameters = case.layout.parameters();
    for ((parameter, expected), found) in parameters.iter().zip(expected).zip(found) {
        if expected.len() != found.len() {
            return Err(format!("'{}' has {} elements", parameter.name, found.len()));
        }
        let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, x| {
            largest.max(f64::from(x.abs()))
        });
        for (index, (&x, &y)) in expected.iter().zip(found).enumerate() {
            let difference = (f64::from(x) - f64::from(y)).abs() / largest;
            if difference.is_nan() || difference > tolerance {
                return Err(format!(
                    "'{}'[{index}] is {y}, not {x}: relative difference {difference:.1e}",
                    parameter.name
                ));
            }
            worst = worst.max(difference);
        }
    }
    Ok(worst)
}

fn compare_reports(
    expected: &StepReport,
    found: &StepReport,
    tolerance: f64,
) -> Result<f64, String> {
    if std::mem::discriminant(&expected.outcome) != std::mem::discriminant(&found.outcome) {
        return Err(format!(
            "outcome {:?}, not {:?}",
            found.outcome, expected.outcome
        ));
    }
    for (expected, found) in expected.blocks.iter().zip(&found.blocks) {
        if (&expected.name, expected.outcome) != (&found.name, found.outcome) {
            return Err(format!(
                "block '{}': {:?}, not '{}': {:?}",
                found.name, found.outcome, expected.name, expected.outcome
            ));
        }
    }
    let rho = |report: &StepReport| {
        report
            .whiteness
            .map_or(0.0, |whiteness| whiteness.smoothed_correlation)
    };
    let off = (rho(expected) - rho(found)).abs();
    if off.is_nan() || off > tolerance {
        return Err(format!("rho is {}, not {}", rho(found), rho(expected)));
    }
    let q = |report: &StepReport| match report.process_noise {
        ProcessNoise::Scalar(q) => q,
        ProcessNoise::PositionVelocity { position, .. } => position,
    };
    let numbers = [
        ("Q", q(expected), q(found)),
        ("R", expected.measurement_noise, found.measurement_noise),
        ("loss", expected.loss, found.loss),
        ("update norm", expected.update_norm, found.update_norm),
    ];
    let mut worst = 0.0_f64;
    for (name, x, y) in numbers {
        if x.is_nan() && y.is_nan() {
            continue;
        }
        let difference = (x - y).abs() / x.abs().max(f64::MIN_POSITIVE);
        if difference.is_nan() || difference > tolerance {
            return Err(format!(
                "{name} is {y}, not {x}: relative difference {difference:.1e}"
            ));
        }
        worst = worst.max(difference);
    }
    Ok(worst)
}
