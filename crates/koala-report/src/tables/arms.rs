//! The arms of a workload as people read them.

use super::{Column, Table};
use crate::compare::list;
use crate::{Arm, Measure, Summary, WorkloadComparison};

/// One row an arm. Units stand in the caption, so that a line fits a terminal.
pub(super) fn table(workload: &WorkloadComparison) -> Table {
    let measure = workload.measure;
    Table {
        caption: caption(workload),
        columns: vec![
            Column::words("optimizer"),
            Column::words("settings"),
            Column::numbers("n"),
            Column::numbers("best val."),
            Column::numbers("test"),
            Column::numbers("to target"),
            Column::numbers("ms/step"),
            Column::numbers("in optim."),
            Column::numbers("memory"),
        ],
        rows: workload.arms.iter().map(|arm| row(arm, measure)).collect(),
    }
}

fn caption(workload: &WorkloadComparison) -> String {
    let mut told = vec![format!("{} on {}", workload.model, workload.dataset)];
    if let Some(parameters) = workload.parameters {
        told.push(format!("{parameters} parameters"));
    }
    if !workload.writers.is_empty() {
        told.push(format!("written by {}", list(&workload.writers)));
    }
    let measure = workload.measure;
    told.push(format!("{} in {}", measure.noun(), measure.unit()));
    told.push(match workload.target {
        None => "no target".to_owned(),
        Some(target) => format!(
            "steps to a validation {} of {}{}",
            measure.noun(),
            measure.value(target.value),
            if target.derived {
                ", the median of what the arms reach"
            } else {
                ""
            }
        ),
    });
    format!("{}: {}", workload.name, told.join("; "))
}

fn row(arm: &Arm, measure: Measure) -> Vec<String> {
    let share = match (
        arm.optimizer_seconds_per_step.mean,
        arm.seconds_per_step.mean,
    ) {
        (Some(part), Some(whole)) if whole > 0.0 => format!("{:.0} %", 100.0 * part / whole),
        _ => String::new(),
    };
    vec![
        arm.optimizer.clone(),
        arm.kind.name().to_owned(),
        of(arm.n, arm.runs.len()),
        mean(&arm.best_validation, measure),
        mean_and_half_width(&arm.test, measure),
        reached(&arm.steps_to_target),
        arm.seconds_per_step
            .mean
            .map_or_else(String::new, |seconds| format!("{:.3}", seconds * 1e3)),
        share,
        arm.state_bytes.map_or_else(String::new, bytes),
    ]
}

/// `5`, or `4 of 5`.
fn of(some: usize, all: usize) -> String {
    if some == all {
        some.to_string()
    } else {
        format!("{some} of {all}")
    }
}

fn mean(summary: &Summary, measure: Measure) -> String {
    let shown = |mean| format!("{mean:.*}", measure.digits());
    summary.mean.map_or_else(String::new, shown)
}

/// The mean, and how far its interval reaches on each side; the mean alone below two values.
fn mean_and_half_width(summary: &Summary, measure: Measure) -> String {
    let mean = mean(summary, measure);
    match summary.interval {
        None => mean,
        Some(interval) => {
            let half = (interval.high - interval.low) / 2.0;
            format!("{mean} ± {half:.*}", measure.digits())
        }
    }
}

/// The median, with how many reached it if not all did; nothing if no run is over or there is no target.
fn reached(steps: &Summary) -> String {
    let some = steps.n - steps.infinite;
    match steps.median {
        _ if steps.n == 0 => String::new(),
        _ if some == 0 => "never".to_owned(),
        None => of(some, steps.n),
        Some(median) if some == steps.n => format!("{median:.0}"),
        Some(median) => format!("{median:.0} ({some} of {})", steps.n),
    }
}

fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = (bytes.ilog2() / 10).min(4);
    let value = bytes as f64 / 1024f64.powi(power as i32);
    format!("{value:.1} {}", UNITS[power as usize - 1])
}
