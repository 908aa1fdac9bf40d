//! Choosing hyperparameters, by held-out samples alone.

use std::path::Path;

use koala_report::{Choice, Measure, Role};
use koala_train::run::RunFolder;

use super::planned::Planned;
use super::resolved::Resolved;
use super::tuning::TuningPlan;
use crate::Error;

/// The trial with the lowest mean, over the tuning seeds, of each run's last evaluation, since last weights are what is
/// reported; the first among equals. A run that failed counts as infinite.
pub(super) fn choose(
    folder: &Path,
    all: &[Resolved],
    runs: &[Planned],
    tuning: &TuningPlan,
) -> Result<Vec<Choice>, Error> {
    let mut choices = Vec::new();
    for (number, resolved) in all.iter().enumerate() {
        for entry in resolved.entries.iter().filter(|e| !e.trials.is_empty()) {
            let mut best: Option<(f64, usize)> = None;
            for trial in 0..entry.trials.len() {
                let mean = mean(
                    folder,
                    runs,
                    (number, resolved.workload.measure),
                    &entry.arm.name,
                    trial,
                    tuning.seeds.len(),
                )?;
                if mean.is_finite() && best.is_none_or(|(lowest, _)| mean < lowest) {
                    best = Some((mean, trial));
                }
            }
            let values = best.and_then(|(_, trial)| entry.trials.get(trial));
            choices.push(Choice {
                workload: resolved.workload.name.clone(),
                optimizer: entry.arm.name.clone(),
                trial: best.map(|(_, trial)| trial),
                values: values.cloned().unwrap_or_default(),
                validation: best.map(|(mean, _)| mean),
            });
        }
    }
    Ok(choices)
}

/// A trial's last evaluation, mean over its seeds.
fn mean(
    folder: &Path,
    runs: &[Planned],
    (problem, measure): (usize, Measure),
    optimizer: &str,
    number: usize,
    seeds: usize,
) -> Result<f64, Error> {
    let mut sum = 0.0;
    let mut count = 0;
    for run in runs {
        let same = run.problem == problem && run.listed.optimizer == optimizer;
        let of_trial =
            matches!(&run.listed.role, Role::Trial { trial, .. } if same && *trial == number);
        if of_trial {
            sum += last_validation(&folder.join(&run.listed.folder), measure)?;
            count += 1;
        }
    }
    // A seed that is missing says as little as one that failed.
    Ok(if count == seeds && count > 0 {
        sum / count as f64
    } else {
        f64::INFINITY
    })
}

/// The held-out samples with a run's last weights; infinite if it failed.
fn last_validation(folder: &Path, measure: Measure) -> Result<f64, Error> {
    let Some(result) = RunFolder::at(folder).completed()? else {
        return Ok(f64::INFINITY);
    };
    let key = match measure {
        Measure::Error => "validation_error",
        Measure::Loss | Measure::SquaredError => "validation_loss",
    };
    let value = result[key].as_f64();
    Ok(value.unwrap_or(f64::INFINITY))
}
