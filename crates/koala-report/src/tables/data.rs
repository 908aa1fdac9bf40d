//! Tidy tables: an observation a row, a variable a column, nothing rounded.

use super::{Column, Table};
use crate::{Arm, Comparison, RunMeasures, RunState, Summary, WorkloadComparison};

struct RunRow<'a> {
    workload: &'a WorkloadComparison,
    arm: &'a Arm,
    run: &'a RunMeasures,
}

/// What makes a column of a name.
type Kind = fn(&'static str) -> Column;

/// What a column holds, its name, and its cell in the row of a run.
type RunColumn = (Kind, &'static str, fn(&RunRow<'_>) -> String);

const RUNS: [RunColumn; 20] = [
    (Column::words, "workload", |row| row.workload.name.clone()),
    (Column::words, "dataset", |row| row.workload.dataset.clone()),
    (Column::words, "model", |row| row.workload.model.clone()),
    (Column::words, "measure", |row| {
        row.workload.measure.noun().to_owned()
    }),
    (Column::words, "optimizer", |row| row.arm.optimizer.clone()),
    (Column::words, "values", |row| {
        row.arm.kind.name().to_owned()
    }),
    (Column::numbers, "seed", |row| row.run.seed.to_string()),
    (Column::words, "state", |row| {
        state(&row.run.state).to_owned()
    }),
    (Column::numbers, "final_validation", |row| {
        cell(row.run.final_validation)
    }),
    (Column::numbers, "best_validation", |row| {
        cell(row.run.best_validation)
    }),
    (Column::numbers, "test", |row| cell(row.run.test)),
    (Column::numbers, "best_test", |row| cell(row.run.best_test)),
    (Column::numbers, "train_loss", |row| {
        cell(row.run.train_loss)
    }),
    (Column::numbers, "steps_to_target", |row| {
        cell(row.run.steps_to_target)
    }),
    (Column::numbers, "examples_to_target", |row| {
        cell(row.run.examples_to_target)
    }),
    (Column::numbers, "seconds_to_target", |row| {
        cell(row.run.seconds_to_target)
    }),
    (Column::numbers, "seconds_per_step", |row| {
        cell(row.run.seconds_per_step)
    }),
    (Column::numbers, "optimizer_seconds_per_step", |row| {
        cell(row.run.optimizer_seconds_per_step)
    }),
    (Column::numbers, "state_bytes", |row| {
        cell(row.run.state_bytes)
    }),
    (Column::words, "folder", |row| row.run.folder.clone()),
];

struct ArmRow<'a> {
    workload: &'a WorkloadComparison,
    arm: &'a Arm,
}

/// What a column holds, its name, and its cell in the row of an arm.
type ArmColumn = (Kind, &'static str, fn(&ArmRow<'_>) -> String);

const ARMS: [ArmColumn; 9] = [
    (Column::words, "workload", |row| row.workload.name.clone()),
    (Column::words, "measure", |row| {
        row.workload.measure.noun().to_owned()
    }),
    (Column::words, "optimizer", |row| row.arm.optimizer.clone()),
    (Column::words, "values", |row| {
        row.arm.kind.name().to_owned()
    }),
    (Column::words, "hyperparameters", |row| {
        hyperparameters(row.arm)
    }),
    (Column::numbers, "target", |row| {
        cell(row.workload.target.map(|target| target.value))
    }),
    (Column::numbers, "runs", |row| {
        row.arm.runs.len().to_string()
    }),
    (Column::numbers, "completed", |row| row.arm.n.to_string()),
    (Column::numbers, "state_bytes", |row| {
        cell(row.arm.state_bytes)
    }),
];

/// A measure's name, and where an arm has it.
type Measured = (&'static str, fn(&Arm) -> &Summary);

/// What is summed up.
const SUMMARIES: [Measured; 10] = [
    ("final_validation", |arm| &arm.final_validation),
    ("best_validation", |arm| &arm.best_validation),
    ("test", |arm| &arm.test),
    ("best_test", |arm| &arm.best_test),
    ("train_loss", |arm| &arm.train_loss),
    ("steps_to_target", |arm| &arm.steps_to_target),
    ("examples_to_target", |arm| &arm.examples_to_target),
    ("seconds_to_target", |arm| &arm.seconds_to_target),
    ("seconds_per_step", |arm| &arm.seconds_per_step),
    ("optimizer_seconds_per_step", |arm| {
        &arm.optimizer_seconds_per_step
    }),
];

/// What stands in a column's name after the measure's, and its cell.
type Part = (&'static str, fn(&Summary) -> String);

/// And how.
const PARTS: [Part; 7] = [
    ("n", |summary| summary.n.to_string()),
    ("infinite", |summary| summary.infinite.to_string()),
    ("mean", |summary| cell(summary.mean)),
    ("deviation", |summary| cell(summary.deviation)),
    ("low", |summary| {
        cell(summary.interval.map(|interval| interval.low))
    }),
    ("high", |summary| {
        cell(summary.interval.map(|interval| interval.high))
    }),
    ("median", |summary| cell(summary.median)),
];

/// Every reported run.
pub(super) fn runs(comparison: &Comparison) -> Table {
    let mut rows = Vec::new();
    for workload in &comparison.workloads {
        for arm in &workload.arms {
            rows.extend(arm.runs.iter().map(|run| {
                let row = RunRow { workload, arm, run };
                RUNS.iter().map(|(_, _, cell)| cell(&row)).collect()
            }));
        }
    }
    Table {
        caption: "runs".to_owned(),
        columns: RUNS.iter().map(|(kind, name, _)| kind(name)).collect(),
        rows,
    }
}

/// Every arm.
pub(super) fn arms(comparison: &Comparison) -> Table {
    let mut columns: Vec<Column> = ARMS.iter().map(|(kind, name, _)| kind(name)).collect();
    for (measure, _) in SUMMARIES {
        let parts = PARTS.iter();
        columns.extend(parts.map(|(part, _)| Column::numbers(format!("{measure}_{part}"))));
    }
    let mut rows = Vec::new();
    for workload in &comparison.workloads {
        rows.extend(workload.arms.iter().map(|arm| {
            let row = ArmRow { workload, arm };
            let mut cells: Vec<String> = ARMS.iter().map(|(_, _, cell)| cell(&row)).collect();
            for (_, summary) in SUMMARIES {
                cells.extend(PARTS.iter().map(|(_, cell)| cell(summary(arm))));
            }
            cells
        }));
    }
    Table {
        caption: "arms".to_owned(),
        columns,
        rows,
    }
}

/// With all digits; empty where nothing is known.
pub(super) fn cell(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn state(state: &RunState) -> &'static str {
    match state {
        RunState::Completed => "completed",
        RunState::Failed { .. } => "failed",
        RunState::Unfinished => "unfinished",
        RunState::Missing => "missing",
    }
}

/// `gain=0.5 learning-rate=0.1`.
fn hyperparameters(arm: &Arm) -> String {
    let values = arm.values.iter();
    let told: Vec<String> = values
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    told.join(" ")
}
