//! Arms against each other, seed by seed.

use crate::statistics::{Differences, holm};
use crate::{Arm, ArmKind, Compared, Finding, Paired, RunMeasures, RunState};

/// Each pair of arms of the same kind.
pub(super) fn of(arms: &[Arm]) -> Vec<Paired> {
    let mut pairs = Vec::new();
    for kind in ArmKind::ALL {
        let kin: Vec<&Arm> = arms.iter().filter(|arm| arm.kind == kind).collect();
        let each = kin
            .iter()
            .enumerate()
            .flat_map(|(at, first)| kin.iter().skip(at + 1).map(move |second| (*first, *second)));
        pairs.extend(family(each));
    }
    pairs
}

/// Each optimizer, tuned, against its own defaults.
pub(super) fn gains(arms: &[Arm]) -> Vec<Paired> {
    let tuned = arms.iter().filter(|arm| arm.kind == ArmKind::Tuned);
    family(tuned.filter_map(|tuned| {
        let own = |arm: &&Arm| arm.kind == ArmKind::Defaults && arm.optimizer == tuned.optimizer;
        Some((tuned, arms.iter().find(own)?))
    }))
}

/// Comparisons that are made together.
pub(super) fn family<'a>(pairs: impl Iterator<Item = (&'a Arm, &'a Arm)>) -> Vec<Paired> {
    let (mut pairs, two_sided): (Vec<Paired>, Vec<Option<f64>>) =
        pairs.map(|(first, second)| pair(first, second)).unzip();
    for (pair, adjusted) in pairs.iter_mut().zip(holm(&two_sided)) {
        pair.adjusted = adjusted;
    }
    pairs
}

fn pair(first: &Arm, second: &Arm) -> (Paired, Option<f64>) {
    if same(first, second) {
        return (nothing(first, second), None);
    }
    let differences: Vec<(u64, f64)> = first
        .runs
        .iter()
        .filter_map(|run| {
            let other = second.runs.iter().find(|other| other.seed == run.seed)?;
            Some((run.seed, tested(run)? - tested(other)?))
        })
        .collect();
    let values: Vec<f64> = differences
        .iter()
        .map(|(_, difference)| *difference)
        .collect();
    let found = Differences::of(&values);
    let paired = Paired {
        kind: first.kind,
        first: first.optimizer.clone(),
        second: second.optimizer.clone(),
        of: Compared::Test,
        finding: found.finding((first.failed() == 0, second.failed() == 0)),
        differences,
        mean: found.mean,
        interval: found.interval,
        p: found.p,
        adjusted: None,
    };
    (paired, found.two_sided)
}

/// Whether both are the same runs. Configurations decide their folders, so that tuning which chose the defaults leads to theirs.
fn same(first: &Arm, second: &Arm) -> bool {
    let folders = |arm: &'_ Arm| -> Vec<String> {
        let runs = arm.runs.iter().map(|run| run.folder.clone());
        runs.collect()
    };
    !first.runs.is_empty() && folders(first) == folders(second)
}

/// A pair that is none.
fn nothing(first: &Arm, second: &Arm) -> Paired {
    Paired {
        kind: first.kind,
        first: first.optimizer.clone(),
        second: second.optimizer.clone(),
        of: Compared::Test,
        differences: Vec::new(),
        mean: None,
        interval: None,
        p: None,
        adjusted: None,
        finding: Finding::Same,
    }
}

fn tested(run: &RunMeasures) -> Option<f64> {
    run.test.filter(|_| run.state == RunState::Completed)
}
