//! Arms against the reference as tidy tables: an observation a row, a variable a column, nothing rounded.

use super::data::cell;
use super::{Column, Table};
use crate::{AgainstReference, ArmAgainst, AtHorizon, Facing, MeanRatio, RatioOn};

/// What makes a column of a name.
type Kind = fn(&'static str) -> Column;

struct ArmRow<'a> {
    reference: &'a AgainstReference,
    horizon: &'a AtHorizon,
    arm: &'a ArmAgainst,
}

/// What a column holds, its name, and its cell in the row of an arm.
type ArmColumn = (Kind, &'static str, fn(&ArmRow<'_>) -> String);

const ARMS: [ArmColumn; 22] = [
    (Column::words, "reference", |row| row.reference.name.clone()),
    (Column::numbers, "horizon", |row| cell(row.horizon.factor)),
    (Column::words, "optimizer", |row| row.arm.optimizer.clone()),
    (Column::words, "values", |row| {
        row.arm.kind.name().to_owned()
    }),
    (Column::words, "is_reference", |row| {
        row.arm.is_reference.to_string()
    }),
    (Column::numbers, "workloads", |row| {
        row.horizon.references.len().to_string()
    }),
    (Column::numbers, "fails", |row| {
        row.arm.fails.len().to_string()
    }),
    (Column::numbers, "result_mean", |row| {
        cell(row.arm.result.mean)
    }),
    (Column::numbers, "result_low", |row| low(&row.arm.result)),
    (Column::numbers, "result_high", |row| high(&row.arm.result)),
    (Column::numbers, "result_n", |row| {
        row.arm.result.workloads.to_string()
    }),
    (Column::numbers, "worst", |row| {
        cell(row.arm.worst.as_ref().map(|worst| worst.ratio))
    }),
    (Column::words, "worst_on", |row| {
        cell(row.arm.worst.as_ref().map(|worst| &worst.workload))
    }),
    (Column::numbers, "within", |row| row.arm.within.to_string()),
    (Column::numbers, "better", |row| row.arm.better.to_string()),
    (Column::numbers, "steps_mean", |row| {
        cell(row.arm.steps.mean)
    }),
    (Column::numbers, "steps_low", |row| low(&row.arm.steps)),
    (Column::numbers, "steps_high", |row| high(&row.arm.steps)),
    (Column::numbers, "steps_n", |row| {
        row.arm.steps.workloads.to_string()
    }),
    (Column::words, "steps_at_least", |row| {
        row.arm.steps.at_least.to_string()
    }),
    (Column::numbers, "reached", |row| {
        row.arm.reached.to_string()
    }),
    (Column::numbers, "rank", |row| cell(row.arm.rank)),
];

struct RatioRow<'a> {
    horizon: &'a AtHorizon,
    arm: &'a ArmAgainst,
    on: &'a RatioOn,
    /// Its reference.
    reference: Option<&'a crate::ReferenceOn>,
}

/// What a column holds, its name, and its cell in the row of a ratio.
type RatioColumn = (Kind, &'static str, fn(&RatioRow<'_>) -> String);

const RATIOS: [RatioColumn; 13] = [
    (Column::words, "workload", |row| row.on.workload.clone()),
    (Column::numbers, "horizon", |row| cell(row.horizon.factor)),
    (Column::words, "measure", |row| {
        cell(row.reference.map(|on| on.measure.noun()))
    }),
    (Column::words, "optimizer", |row| row.arm.optimizer.clone()),
    (Column::words, "values", |row| {
        row.arm.kind.name().to_owned()
    }),
    (Column::words, "reference", |row| {
        cell(row.reference.and_then(|on| on.optimizer.as_ref()))
    }),
    (Column::words, "reference_values", |row| {
        cell(row.reference.map(|on| on.kind.name()))
    }),
    (Column::numbers, "reference_test", |row| {
        cell(row.reference.and_then(|on| on.test))
    }),
    (Column::words, "state", |row| state(row.on.state).to_owned()),
    (Column::numbers, "seeds", |row| row.on.seeds.to_string()),
    (Column::numbers, "result", |row| cell(row.on.result)),
    (Column::numbers, "steps", |row| cell(row.on.steps)),
    (Column::words, "steps_at_least", |row| {
        row.on.at_least.to_string()
    }),
];

/// Every arm at every length.
pub(super) fn arms(reference: &AgainstReference) -> Table {
    let mut rows = Vec::new();
    for horizon in &reference.horizons {
        rows.extend(horizon.arms.iter().map(|arm| {
            let row = ArmRow {
                reference,
                horizon,
                arm,
            };
            ARMS.iter().map(|(_, _, cell)| cell(&row)).collect()
        }));
    }
    Table {
        caption: "reference".to_owned(),
        columns: ARMS.iter().map(|(kind, name, _)| kind(name)).collect(),
        rows,
    }
}

/// Every arm on every workload at every length.
pub(super) fn ratios(reference: &AgainstReference) -> Table {
    let mut rows = Vec::new();
    for horizon in &reference.horizons {
        for arm in &horizon.arms {
            rows.extend(arm.on.iter().enumerate().map(|(at, on)| {
                let row = RatioRow {
                    horizon,
                    arm,
                    on,
                    reference: horizon.references.get(at),
                };
                RATIOS.iter().map(|(_, _, cell)| cell(&row)).collect()
            }));
        }
    }
    Table {
        caption: "ratios".to_owned(),
        columns: RATIOS.iter().map(|(kind, name, _)| kind(name)).collect(),
        rows,
    }
}

fn low(mean: &MeanRatio) -> String {
    cell(mean.interval.map(|interval| interval.low))
}

fn high(mean: &MeanRatio) -> String {
    cell(mean.interval.map(|interval| interval.high))
}

fn state(state: Facing) -> &'static str {
    match state {
        Facing::Compared => "compared",
        Facing::Failed => "failed",
        Facing::ReferenceFailed => "reference-failed",
        Facing::Open => "open",
        Facing::Absent => "absent",
        Facing::NoRatio => "no-ratio",
    }
}
