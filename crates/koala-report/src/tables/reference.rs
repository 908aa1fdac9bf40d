//! Arms against the reference: results, steps, workload by workload, and at several lengths.

use super::{Column, Table};
use crate::compare::{interval_of, ratio, who};
use crate::{AgainstReference, ArmAgainst, AtHorizon, Facing, MeanRatio, RatioOn};

/// Letters of a table's cells in a line, with what is between them.
const LINE: usize = 100;
/// Letters of a name that are counted.
const NAME: usize = 20;

/// All tables. `narrow` if those of many workloads are cut into several that fit a line.
pub(crate) fn tables(reference: &AgainstReference, narrow: bool) -> Vec<Table> {
    let mut tables = Vec::new();
    if reference.horizons.len() > 1 {
        tables.push(lengths(reference));
    }
    for horizon in reference.own_length_first() {
        tables.push(results(&reference.name, horizon));
        tables.push(steps(&reference.name, horizon));
        tables.extend(ratios(&reference.name, horizon, narrow));
    }
    tables
}

/// The geometric mean of each arm at each length, and its rank.
fn lengths(reference: &AgainstReference) -> Table {
    let mut columns = vec![Column::words("optimizer"), Column::words("settings")];
    let horizons = reference.own_length_first();
    for horizon in &horizons {
        // A column is also chosen, and cited, by its head alone.
        for what in ["ratio", "rank"] {
            columns.push(Column::numbers(format!("{what} x {}", factor(horizon))));
        }
    }
    let mut names: Vec<(&str, crate::ArmKind)> = Vec::new();
    for arm in reference.horizons.iter().flat_map(|at| &at.arms) {
        let name = (arm.optimizer.as_str(), arm.kind);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let rows = names.iter().map(|(optimizer, kind)| {
        let mut row = vec![(*optimizer).to_owned(), kind.name().to_owned()];
        for horizon in &horizons {
            let mut arms = horizon.arms.iter();
            let arm = arms.find(|arm| arm.optimizer == *optimizer && arm.kind == *kind);
            row.push(arm.map_or_else(String::new, |arm| of(&arm.result, &arm.fails)));
            let rank = arm.and_then(|arm| arm.rank);
            row.push(rank.map_or_else(String::new, |rank| format!("{rank:.1}")));
        }
        row
    });
    Table {
        caption: format!(
            "Lengths: test result over that of {} (geometric mean), and mean rank by test result, at so many times the workloads' steps",
            match horizons.first() {
                Some(first) => who(&reference.name, first),
                None => reference.name.clone(),
            }
        ),
        rows: rows.collect(),
        columns,
    }
}

fn factor(horizon: &AtHorizon) -> String {
    horizon.factor.unwrap_or(1.0).to_string()
}

/// Where it is about one of several lengths.
fn place(horizon: &AtHorizon) -> String {
    match horizon.factor {
        Some(factor) => format!(" at {factor} times the length"),
        None => String::new(),
    }
}

fn others(horizon: &AtHorizon) -> impl Iterator<Item = &ArmAgainst> {
    horizon.arms.iter().filter(|arm| !arm.is_reference)
}

fn results(name: &str, horizon: &AtHorizon) -> Table {
    let all = horizon.references.len();
    Table {
        caption: format!(
            "Test result over that of {}{}: below 1 is better; geometric mean, its worst workload, and on how many it is at most 5 % worse or \
             better",
            who(name, horizon),
            place(horizon)
        ),
        columns: vec![
            Column::words("optimizer"),
            Column::words("settings"),
            Column::numbers("ratio"),
            Column::numbers("95 % interval"),
            Column::numbers("n"),
            Column::numbers("worst"),
            Column::words("worst on"),
            Column::numbers("≤ +5 %"),
            Column::numbers("better"),
        ],
        rows: others(horizon)
            .map(|arm| {
                vec![
                    arm.optimizer.clone(),
                    arm.kind.name().to_owned(),
                    of(&arm.result, &arm.fails),
                    between(&arm.result),
                    some(arm.result.workloads, all),
                    worst(arm).0,
                    worst(arm).1,
                    arm.within.to_string(),
                    arm.better.to_string(),
                ]
            })
            .collect(),
    }
}

/// The largest ratio and its workload; a failure is worse than any.
fn worst(arm: &ArmAgainst) -> (String, String) {
    match (arm.fails.first(), &arm.worst) {
        (Some(workload), _) => ("fails".to_owned(), workload.clone()),
        (None, Some(worst)) => (ratio(worst.ratio), worst.workload.clone()),
        (None, None) => Default::default(),
    }
}

fn steps(name: &str, horizon: &AtHorizon) -> Table {
    let all = horizon.references.len();
    Table {
        caption: format!(
            "Steps to the target over those of {}{}: below 1 is faster; geometric mean, and on how many workloads every seed got there",
            who(name, horizon),
            place(horizon)
        ),
        columns: vec![
            Column::words("optimizer"),
            Column::words("settings"),
            Column::numbers("ratio"),
            Column::numbers("95 % interval"),
            Column::numbers("n"),
            Column::numbers("reached on"),
        ],
        rows: others(horizon)
            .map(|arm| {
                vec![
                    arm.optimizer.clone(),
                    arm.kind.name().to_owned(),
                    of(&arm.steps, &arm.fails),
                    between(&arm.steps),
                    some(arm.steps.workloads, all),
                    arm.reached.to_string(),
                ]
            })
            .collect(),
    }
}

/// The ratios of results, an arm a row and a workload a column.
fn ratios(name: &str, horizon: &AtHorizon, narrow: bool) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut from = 0;
    while from < horizon.references.len() {
        let to = match narrow {
            true => fitting(horizon, from),
            false => horizon.references.len(),
        };
        tables.push(ratios_on(name, horizon, from..to));
        from = to;
    }
    // A page is longer than wide.
    match narrow {
        true => tables,
        false => tables.into_iter().map(turned).collect(),
    }
}

/// A table of workloads by arms: a row of it is a column of the other.
fn turned(table: Table) -> Table {
    let cell = |row: &Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    let mut columns = vec![Column::words("workload")];
    columns.extend(table.rows.iter().map(|row| match cell(row, 0).as_str() {
        "reference" => Column::numbers("result of the reference"),
        optimizer => Column::numbers(format!("{optimizer}, {}", cell(row, 1))),
    }));
    let rows = table
        .columns
        .iter()
        .enumerate()
        .skip(2)
        .map(|(at, column)| {
            let cells = table.rows.iter().map(|row| cell(row, at));
            [column.head.clone()].into_iter().chain(cells).collect()
        });
    Table {
        rows: rows.collect(),
        columns,
        caption: table.caption,
    }
}

/// The end of the workloads from `from` on that fit a line; at least one.
fn fitting(horizon: &AtHorizon, from: usize) -> usize {
    let mut width = NAME + "defaults".len() + 4;
    let mut to = from;
    for on in horizon.references.iter().skip(from) {
        width += on.workload.chars().count().max("fails".len()) + 2;
        if to > from && width > LINE {
            break;
        }
        to += 1;
    }
    to
}

fn ratios_on(name: &str, horizon: &AtHorizon, places: std::ops::Range<usize>) -> Table {
    let references = || {
        let all = horizon.references.iter();
        all.skip(places.start).take(places.len())
    };
    let mut columns = vec![Column::words("optimizer"), Column::words("settings")];
    columns.extend(references().map(|on| Column::numbers(on.workload.clone())));
    let mut first = vec!["reference".to_owned(), "result".to_owned()];
    first.extend(references().map(|on| match on.test {
        Some(test) => on.measure.value(test),
        None if on.failed => "fails".to_owned(),
        None => String::new(),
    }));
    let mut rows = vec![first];
    rows.extend(others(horizon).map(|arm| {
        let mut row = vec![arm.optimizer.clone(), arm.kind.name().to_owned()];
        row.extend(
            arm.on
                .iter()
                .skip(places.start)
                .take(places.len())
                .map(cell),
        );
        row
    }));
    Table {
        caption: format!(
            "Workload by workload: test result over that of {}{}",
            who(name, horizon),
            place(horizon)
        ),
        columns,
        rows,
    }
}

fn cell(on: &RatioOn) -> String {
    match (on.state, on.result) {
        (_, Some(value)) => ratio(value),
        (Facing::Failed, None) => "fails".to_owned(),
        _ => String::new(),
    }
}

/// A mean, or on how many workloads it failed.
fn of(mean: &MeanRatio, fails: &[String]) -> String {
    match mean.mean {
        _ if !fails.is_empty() => format!("fails on {}", fails.len()),
        Some(value) if mean.at_least => format!("≥ {}", ratio(value)),
        Some(value) => ratio(value),
        None => String::new(),
    }
}

fn between(mean: &MeanRatio) -> String {
    interval_of(mean).unwrap_or_default()
}

/// `7`, or `6 of 7`.
fn some(some: usize, all: usize) -> String {
    match some == all {
        true => all.to_string(),
        false => format!("{some} of {all}"),
    }
}
