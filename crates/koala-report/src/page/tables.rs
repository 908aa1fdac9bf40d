//! Numbers of a workload, row by row.

use super::numbers::{NOTHING, bytes, mean, plain, reached};
use crate::{Arm, ArmKind, Measure, RunMeasures, RunState, Summary, WorkloadComparison};

/// Arms of one kind.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) rows: Vec<Row>,
    /// Why cells are empty, if any are.
    pub(super) gaps: String,
}

/// One arm.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) optimizer: String,
    pub(super) hue: Option<usize>,
    /// What tuning chose.
    pub(super) values: String,
    pub(super) n: String,
    pub(super) cells: Vec<Cell>,
    pub(super) runs: Vec<RunRow>,
}

/// A number of an arm.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    /// What the table is sorted by, in JavaScript's notation; empty if there is nothing.
    pub(super) key: String,
    /// Whether it is the lowest of its column.
    pub(super) best: bool,
    /// Why there is nothing.
    pub(super) gap: &'static str,
    value: Option<f64>,
}

/// One run.
#[derive(Debug)]
pub(super) struct RunRow {
    pub(super) seed: u64,
    pub(super) state: String,
    pub(super) failed: bool,
    pub(super) validation: String,
    pub(super) test: String,
    pub(super) folder: String,
}

/// What the cells of a row are.
pub(super) fn heads(measure: Measure) -> Vec<String> {
    let (noun, unit) = (measure.noun(), measure.unit());
    vec![
        format!("Test {noun} ({unit})"),
        format!("Test {noun}, best weights ({unit})"),
        format!("Validation {noun} ({unit})"),
        format!("Training loss ({})", measure.loss_unit()),
        "Steps to target".to_owned(),
        "Seconds to target".to_owned(),
        "ms a step".to_owned(),
        "ms in optimizer".to_owned(),
        "Memory".to_owned(),
    ]
}

/// Columns whose numbers are seconds.
const SECONDS: [usize; 3] = [5, 6, 7];

/// Each kind that has arms. `timed` if seconds are worth comparing.
pub(super) fn of(
    workload: &WorkloadComparison,
    timed: bool,
    hue: impl Fn(&Arm) -> Option<usize>,
) -> Vec<Table> {
    let captions = [
        (
            ArmKind::Tuned,
            "Tuned: the same number of trials for each optimizer",
        ),
        (
            ArmKind::Defaults,
            "Defaults: the workload's own hyperparameters",
        ),
        (ArmKind::Own, "Runs of no suite, each with its own settings"),
    ];
    captions
        .into_iter()
        .map(|(kind, caption)| {
            let arms = workload.arms.iter().filter(|arm| arm.kind == kind);
            let rows = arms.map(|arm| row(arm, workload, hue(arm)));
            table(caption, rows.collect(), timed)
        })
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn table(caption: &str, mut rows: Vec<Row>, timed: bool) -> Table {
    let columns = rows.first().map_or(0, |row| row.cells.len());
    for column in (0..columns).filter(|column| timed || !SECONDS.contains(column)) {
        let values = || rows.iter().filter_map(|row| row.cells[column].value);
        let lowest = values().filter(|value| value.is_finite()).reduce(f64::min);
        // Where all are the same, none is the best.
        if values().any(|value| Some(value) != lowest) {
            for row in &mut rows {
                let cell = &mut row.cells[column];
                cell.best = cell.value.is_some() && cell.value == lowest;
            }
        }
    }
    let mut gaps: Vec<&str> = Vec::new();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        if !cell.gap.is_empty() && !gaps.contains(&cell.gap) {
            gaps.push(cell.gap);
        }
    }
    Table {
        caption: caption.to_owned(),
        gaps: gaps.join("; "),
        rows,
    }
}

fn row(arm: &Arm, workload: &WorkloadComparison, hue: Option<usize>) -> Row {
    let digits = workload.measure.digits();
    let milliseconds = |summary: &Summary| {
        let value = summary.mean.map(|seconds| 1000.0 * seconds);
        (value, value.map(plain))
    };
    let mean = |summary: &Summary, digits| {
        let text = summary.mean.map(|_| mean(summary, digits));
        (summary.mean, text)
    };
    let until = |summary: &Summary| {
        let median = summary.median.or((summary.n > 0).then_some(f64::INFINITY));
        (median, median.map(|_| reached(summary)))
    };
    let target = match workload.target {
        Some(_) => "no run has come to its end",
        None => "there is no target",
    };
    let state = arm.state_bytes;
    let cells = [
        (mean(&arm.test, digits), "no test samples were judged"),
        (
            mean(&arm.best_test, digits),
            "the weights of the best evaluation were not tested",
        ),
        (
            mean(&arm.best_validation, digits),
            "no samples were held out",
        ),
        (mean(&arm.train_loss, 4), "the log has no training loss"),
        (until(&arm.steps_to_target), target),
        (until(&arm.seconds_to_target), target),
        (milliseconds(&arm.seconds_per_step), "seconds were not told"),
        (
            milliseconds(&arm.optimizer_seconds_per_step),
            "seconds in the optimizer were not told",
        ),
        (
            (state.map(|bytes| bytes as f64), state.map(bytes)),
            "memory was not told",
        ),
    ];
    Row {
        optimizer: arm.optimizer.clone(),
        hue,
        values: values(&arm.values),
        n: match arm.n == arm.runs.len() {
            true => arm.n.to_string(),
            false => format!("{} of {}", arm.n, arm.runs.len()),
        },
        cells: cells
            .into_iter()
            .map(|((value, text), gap)| cell(arm, value, text, gap))
            .collect(),
        runs: arm.runs.iter().map(|run| run_row(run, digits)).collect(),
    }
}

/// A cell, with `gap` or what the arm's runs came to for a reason if it is empty.
fn cell(arm: &Arm, value: Option<f64>, text: Option<String>, gap: &'static str) -> Cell {
    let key = match value {
        Some(value) if value == f64::INFINITY => "Infinity".to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let empty = text.is_none();
    Cell {
        text: text.unwrap_or_else(|| NOTHING.to_owned()),
        key,
        best: false,
        gap: match empty {
            false => "",
            true if arm.n > 0 => gap,
            true if arm.failed() == arm.runs.len() => "every run failed",
            true => "no run has come to its end",
        },
        value,
    }
}

fn run_row(run: &RunMeasures, digits: usize) -> RunRow {
    let number = |value: Option<f64>| match value {
        Some(value) => format!("{value:.digits$}"),
        None => NOTHING.to_owned(),
    };
    RunRow {
        seed: run.seed,
        failed: matches!(run.state, RunState::Failed { .. }),
        state: match &run.state {
            RunState::Completed => "completed".to_owned(),
            RunState::Failed { message } => format!("failed: {message}"),
            RunState::Unfinished => "not at its end".to_owned(),
            RunState::Missing => "not begun".to_owned(),
        },
        validation: number(run.best_validation),
        test: number(run.test),
        folder: run.folder.clone(),
    }
}

/// Hyperparameters in a line.
pub(super) fn values(values: &std::collections::BTreeMap<String, f64>) -> String {
    let told: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} {}", plain(*value)))
        .collect();
    told.join(", ")
}
