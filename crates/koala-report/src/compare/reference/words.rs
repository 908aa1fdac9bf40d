//! What the numbers say, in a sentence for each arm.

use crate::compare::words::{count, interval_of, list, ratio};
use crate::{AgainstReference, ArmAgainst, AtHorizon, BEST, MeanRatio};

/// A sentence for each arm but the reference, at each length.
pub(super) fn told(reference: &AgainstReference) -> Vec<String> {
    let mut told = Vec::new();
    for horizon in &reference.horizons {
        let others = horizon.arms.iter().filter(|arm| !arm.is_reference);
        told.extend(others.map(|arm| sentence(&reference.name, horizon, arm)));
    }
    told
}

fn sentence(name: &str, horizon: &AtHorizon, arm: &ArmAgainst) -> String {
    let mut said = format!("{}{} ({}): ", at(horizon), arm.optimizer, arm.kind.name());
    let all = horizon.references.len();
    if !arm.fails.is_empty() {
        said.push_str(&format!(
            "fails on {} of {} ({}) and has no mean",
            arm.fails.len(),
            count(all, "workload"),
            list(&arm.fails)
        ));
    } else if let Some(mean) = arm.result.mean {
        said.push_str(&format!(
            "{} times the test result of {}{}, the geometric mean over {}",
            ratio(mean),
            who(name, horizon),
            between(&arm.result),
            of_all(arm.result.workloads, all),
        ));
    } else {
        said.push_str("no workload yet has a result of both");
    }
    if let Some(worst) = &arm.worst {
        said.push_str(&format!(
            "; {}at worst {}, on {}; within 5 % on {} and better on {} of {}",
            if arm.fails.is_empty() {
                ""
            } else {
                "elsewhere "
            },
            ratio(worst.ratio),
            worst.workload,
            arm.within,
            arm.better,
            arm.result.workloads
        ));
    }
    said.push('.');
    if let Some(mean) = arm.steps.mean {
        said.push_str(&format!(
            " It takes {}{} times the steps{} and gets to the target with every seed on {} of {}.",
            if arm.steps.at_least { "at least " } else { "" },
            ratio(mean),
            between(&arm.steps),
            arm.reached,
            count(arm.steps.workloads, "workload"),
        ));
    }
    said
}

/// `7 workloads`, or `6 of 7 workloads`.
fn of_all(some: usize, all: usize) -> String {
    match some == all {
        true => count(all, "workload"),
        false => format!("{some} of {}", count(all, "workload")),
    }
}

fn between(mean: &MeanRatio) -> String {
    match interval_of(mean) {
        Some(ends) => format!(" (95 % interval {ends})"),
        None => String::new(),
    }
}

/// What begins a sentence about one of several lengths.
pub(super) fn at(horizon: &AtHorizon) -> String {
    match horizon.factor {
        Some(factor) => format!("Length x {factor}: "),
        None => String::new(),
    }
}

/// The reference as it stands in a sentence: `adamw (tuned)`.
pub(crate) fn who(name: &str, horizon: &AtHorizon) -> String {
    if name == BEST {
        return "the best baseline".to_owned();
    }
    let mut kinds = horizon.references.iter().map(|on| on.kind);
    match kinds.next() {
        Some(kind) if kinds.all(|other| other == kind) => format!("{name} ({})", kind.name()),
        _ => name.to_owned(),
    }
}
