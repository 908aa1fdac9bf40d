//! An arm against the reference, over all workloads.

use super::facing::{self, Faced};
use super::problem::{Problem, Side};
use crate::statistics::{Matched, geometric_mean, holm, interval_of_ratios};
use crate::{ArmAgainst, ArmKind, CONFIDENCE, Facing, MeanRatio, RatioOn, WorstRatio};

/// So much larger a result is nearly as good.
const WITHIN: f64 = 1.05;

/// An arm over the workloads of one length, of which `references` are the references.
pub(super) fn of(
    (optimizer, kind): (&str, ArmKind),
    rank: Option<f64>,
    problems: &[&Problem],
    references: &[Option<&Side>],
) -> ArmAgainst {
    let mut faced: Vec<Faced> = problems
        .iter()
        .zip(references)
        .map(|(problem, reference)| facing::of(problem, problem.side(optimizer, kind), *reference))
        .collect();
    let two_sided: Vec<Option<f64>> = faced.iter().map(|faced| faced.two_sided).collect();
    for (faced, adjusted) in faced.iter_mut().zip(holm(&two_sided)) {
        faced.told.survives = adjusted.is_some_and(|adjusted| adjusted < 1.0 - CONFIDENCE);
    }
    let on: Vec<RatioOn> = faced.iter().map(|faced| faced.told.clone()).collect();
    let fails: Vec<String> = on
        .iter()
        .filter(|on| on.state == Facing::Failed)
        .map(|on| on.workload.clone())
        .collect();
    let results: Vec<Vec<Matched>> = faced
        .iter()
        .filter(|faced| faced.told.state == Facing::Compared)
        .map(|faced| faced.results.clone())
        .collect();
    let steps: Vec<Vec<Matched>> = faced
        .iter()
        .filter_map(|faced| faced.steps.clone())
        .collect();
    // A failure is worse than any ratio, and no mean of ratios.
    let whole = fails.is_empty();
    let ratios = || on.iter().filter_map(|on| on.result);
    let is = |reference: &Option<&Side>| {
        reference.is_some_and(|side| side.optimizer == optimizer && side.kind == kind)
    };
    ArmAgainst {
        optimizer: optimizer.to_owned(),
        kind,
        is_reference: !references.is_empty() && references.iter().all(is),
        result: mean(&results, whole, false),
        steps: mean(&steps, whole, on.iter().any(|on| on.at_least)),
        worst: on
            .iter()
            .filter_map(|on| Some((on.result?, on)))
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(ratio, on)| WorstRatio {
                ratio,
                workload: on.workload.clone(),
            }),
        within: ratios().filter(|ratio| *ratio <= WITHIN).count(),
        better: ratios().filter(|ratio| *ratio < 1.0).count(),
        reached: on
            .iter()
            .filter(|on| on.steps.is_some() && !on.at_least)
            .count(),
        fails,
        rank,
        on,
    }
}

fn mean(workloads: &[Vec<Matched>], whole: bool, at_least: bool) -> MeanRatio {
    let known = if whole { workloads } else { &[] };
    MeanRatio {
        mean: geometric_mean(known),
        interval: interval_of_ratios(known),
        workloads: workloads.len(),
        at_least,
    }
}
