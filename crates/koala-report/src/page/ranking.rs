//! Who is how good: over all workloads, and on each.

use super::chart::{Palette, spans};
use super::dots::{Common, Row, draw};
use super::numbers::{NOTHING, plain};
use super::svg::{Scale, Scene};
use crate::compare::ratio;
use crate::{Arm, ArmKind, Comparison, OverAllOf, WorkloadComparison};

/// Rows of a drawing, so that it can be taken in.
const ROWS: usize = 12;

/// The field over all workloads, best first; nothing of one workload, or without a reference.
pub(super) fn over_all(comparison: &Comparison, palette: &Palette) -> Option<Scene> {
    let overview = &comparison.overview;
    let over_all = overview.over_all.as_ref()?;
    if comparison.workloads.len() < 2 {
        return None;
    }
    let mut arms: Vec<(&str, ArmKind, &OverAllOf)> = order(comparison)
        .into_iter()
        .filter_map(|at| {
            let entrant = overview.field.get(at)?;
            let of = over_all.arms.get(at)?.as_ref()?;
            Some((entrant.optimizer.as_str(), entrant.kind, of))
        })
        .collect();
    arms.truncate(ROWS);
    let mixed = mixed(arms.iter().map(|arm| arm.1));
    let rows: Vec<Row> = arms
        .iter()
        .map(|(optimizer, kind, of)| {
            let series = palette.series(String::new(), optimizer);
            let ends = of.result.interval;
            Row {
                name: name(optimizer, *kind, mixed),
                hue: series.hue,
                strong: series.koala,
                value: of.result.mean,
                interval: ends.map(|ends| (ends.low, ends.high)),
                parts: of.on.clone(),
                told: match (of.fails, of.result.mean) {
                    (0, Some(mean)) => ratio(mean),
                    (0, None) => NOTHING.to_owned(),
                    (some, _) => format!("fails on {some}"),
                },
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        draw(
            &Common {
                title: format!("Over {}", over_all.problems()),
                axis: format!(
                    "times the test result of {}; left is better",
                    over_all.against
                ),
                note: Some("small dots: problem by problem"),
                scale: Scale::Logarithmic,
                mark: Some(1.0),
            },
            &rows,
        )
    })
}

/// The field, best first: by what it is over all workloads, or on the only one.
pub(super) fn order(comparison: &Comparison) -> Vec<usize> {
    let overview = &comparison.overview;
    let key = |at: &usize| {
        let entrant = &overview.field[*at];
        match (comparison.workloads.as_slice(), &overview.over_all) {
            ([only], _) => {
                let mean = entrant.on(only).and_then(|arm| arm.test.mean);
                (0, mean.unwrap_or(f64::INFINITY))
            }
            (_, Some(over_all)) => match over_all.arms.get(*at).and_then(Option::as_ref) {
                Some(of) => (of.fails, of.result.mean.unwrap_or(f64::INFINITY)),
                None => (usize::MAX, f64::INFINITY),
            },
            _ => (0, 0.0),
        }
    };
    let mut order: Vec<usize> = (0..overview.field.len()).collect();
    order.sort_by(|one, other| {
        let (one, other) = (key(one), key(other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
    order
}

/// The arms of a workload that are shown at first sight, best first: ours, and the best others; and how many there are.
pub(super) fn shown<'a>(
    comparison: &Comparison,
    workload: &'a WorkloadComparison,
) -> (Vec<&'a Arm>, usize) {
    let field = comparison.overview.field.iter();
    let mut arms: Vec<&Arm> = field.filter_map(|entrant| entrant.on(workload)).collect();
    let all = arms.len();
    let mean = |arm: &Arm| arm.test.mean.unwrap_or(f64::INFINITY);
    arms.sort_by(|one, other| mean(one).total_cmp(&mean(other)));
    while arms.len() > ROWS {
        // The worst that is none of ours, or else the worst.
        let at = arms.iter().rposition(|arm| !arm.is_koala());
        arms.remove(at.unwrap_or(arms.len() - 1));
    }
    (arms, all)
}

/// The arms of a workload, best first.
pub(super) fn of(
    comparison: &Comparison,
    workload: &WorkloadComparison,
    palette: &Palette,
) -> Option<Scene> {
    let (arms, _) = shown(comparison, workload);
    let measure = workload.measure;
    let digits = measure.digits();
    let mixed = mixed(arms.iter().map(|arm| arm.kind));
    let rows: Vec<Row> = arms
        .iter()
        .map(|arm| {
            let series = palette.series(String::new(), &arm.optimizer);
            Row {
                name: name(&arm.optimizer, arm.kind, mixed),
                hue: series.hue,
                strong: series.koala,
                value: arm.test.mean,
                interval: arm.test.interval.map(|ends| (ends.low, ends.high)),
                parts: Vec::new(),
                told: told(arm, digits),
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        let scale = match spans(rows.iter().filter_map(|row| row.value)) {
            true => Scale::Logarithmic,
            false => Scale::Linear,
        };
        draw(
            &Common {
                title: format!("{}: test {}", workload.name, measure.noun()),
                axis: format!(
                    "test {} in {}; left is better",
                    measure.noun(),
                    measure.unit()
                ),
                note: None,
                scale,
                mark: None,
            },
            &rows,
        )
    })
}

fn told(arm: &Arm, digits: usize) -> String {
    let failed = arm.failed();
    match (arm.test.mean, arm.test.interval) {
        (None, _) if failed > 0 && failed == arm.runs.len() => "fails".to_owned(),
        (None, _) => NOTHING.to_owned(),
        (Some(mean), _) if arm.n < arm.runs.len() => {
            format!("{} ({} of {})", short(mean, digits), arm.n, arm.runs.len())
        }
        (Some(mean), Some(ends)) => {
            format!(
                "{} ± {}",
                short(mean, digits),
                short(ends.high - mean, digits)
            )
        }
        (Some(mean), None) => short(mean, digits),
    }
}

/// No more digits than tell something: large losses have none behind the point.
fn short(value: f64, digits: usize) -> String {
    match value.abs() {
        ..100.0 => format!("{value:.digits$}"),
        ..1e4 => format!("{value:.1}"),
        _ => plain(value),
    }
}

/// Whether there are arms of several kinds, so that each is told.
pub(super) fn mixed(kinds: impl Iterator<Item = ArmKind>) -> bool {
    let mut kinds = kinds;
    let first = kinds.next();
    kinds.any(|kind| Some(kind) != first)
}

pub(super) fn name(optimizer: &str, kind: ArmKind, mixed: bool) -> String {
    match (mixed, kind) {
        (false, _) | (_, ArmKind::Own) => optimizer.to_owned(),
        (true, ArmKind::Defaults) => format!("{optimizer}, untuned"),
        (true, ArmKind::Tuned) => format!("{optimizer}, tuned"),
    }
}
