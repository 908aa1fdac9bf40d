//! What the numbers say, and what one has to know to read them.

use super::problem::Problem;
use crate::compare::words::{count, interval_of, list, ratio};
use crate::{
    AgainstReference, ArmAgainst, ArmKind, AtHorizon, BEST, Facing, MeanRatio, ReferenceOn,
};

/// Of fewer workloads no resample reaches far enough for a confidence of 95 %.
const FEW: usize = 6;

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
fn at(horizon: &AtHorizon) -> String {
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

/// What one has to know.
pub(super) fn notes(reference: &AgainstReference, problems: &[Problem]) -> Vec<String> {
    let mut notes = Vec::new();
    for horizon in &reference.horizons {
        notes.extend(references(&reference.name, horizon));
    }
    notes.push(
        "A ratio is the mean test result of an arm over that of the reference, over the same seeds: below 1 the arm is better. Means \
         over workloads are geometric, intervals resample workloads and, within them, seeds."
            .to_owned(),
    );
    notes.push(steps(problems));
    for horizon in &reference.horizons {
        let lost = horizon.references.iter().filter(|on| on.failed);
        let lost: Vec<&str> = lost.map(|on| on.workload.as_str()).collect();
        if !lost.is_empty() {
            notes.push(format!(
                "{}The reference fails on {}: no ratio tells there who else came to the end.",
                at(horizon),
                list(&lost)
            ));
        }
        let open = |arm: &&ArmAgainst| arm.on.iter().any(|on| on.state == Facing::Open);
        let open = horizon.arms.iter().filter(open).count();
        if open > 0 {
            notes.push(format!(
                "{}{} not been held against the reference on every workload yet.",
                at(horizon),
                match open {
                    1 => "One arm has".to_owned(),
                    _ => format!("{open} arms have"),
                }
            ));
        }
    }
    notes.extend(few(reference));
    notes.extend(floors(problems));
    notes
}

/// Who the reference is, where.
fn references(name: &str, horizon: &AtHorizon) -> Vec<String> {
    let known: Vec<&ReferenceOn> = horizon
        .references
        .iter()
        .filter(|on| on.optimizer.is_some())
        .collect();
    let places = |kind: ArmKind, optimizer: Option<&str>| -> Vec<&str> {
        let such = known.iter().filter(|on| {
            on.kind == kind && (optimizer.is_none() || on.optimizer.as_deref() == optimizer)
        });
        such.map(|on| on.workload.as_str()).collect()
    };
    let mut said = Vec::new();
    for kind in ArmKind::ALL.into_iter().rev() {
        if places(kind, None).is_empty() {
            continue;
        }
        let everywhere = known.len() == places(kind, None).len();
        let of_kind = match kind {
            ArmKind::Tuned => "tuned",
            ArmKind::Defaults => "with its defaults, since it was not tuned",
            ArmKind::Own => "with its own settings",
        };
        if name == BEST {
            let mut names: Vec<&str> = Vec::new();
            for on in known.iter().filter(|on| on.kind == kind) {
                let optimizer = on.optimizer.as_deref().unwrap_or_default();
                if !names.contains(&optimizer) {
                    names.push(optimizer);
                }
            }
            let each = names.iter().map(|name| {
                let on = places(kind, Some(*name));
                format!("{name} on {}", list(&on))
            });
            let which = match kind {
                ArmKind::Tuned => "the tuned baseline",
                ArmKind::Defaults => "the baseline, none of which was tuned,",
                ArmKind::Own => "the run that is none of KOALA's",
            };
            said.push(format!(
                "{}The reference is {which} with the lowest held-out result, whatever its test result: {}.",
                at(horizon),
                each.collect::<Vec<String>>().join("; ")
            ));
        } else {
            said.push(format!(
                "{}The reference is {name}, {of_kind}{}.",
                at(horizon),
                match everywhere {
                    true => String::new(),
                    false => format!(", on {}", list(&places(kind, None))),
                }
            ));
        }
    }
    said
}

fn steps(problems: &[Problem]) -> String {
    let given: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.workload.target.is_some())
        .map(|problem| problem.workload.name.as_str())
        .collect();
    let target = match given.len() {
        0 => "what the reference's held-out samples come to in the end, seed by seed".to_owned(),
        all if all == problems.len() => "the workload's".to_owned(),
        _ => format!(
            "what the reference's held-out samples come to in the end, seed by seed; on {} the workload's own",
            list(&given)
        ),
    };
    format!(
        "The target of steps is {target}. An arm that never gets there counts with all its steps: its ratio is a lower bound."
    )
}

fn few(reference: &AgainstReference) -> Option<String> {
    let most = reference
        .horizons
        .iter()
        .map(|at| at.references.len())
        .max()?;
    match most {
        0 => None,
        1 => Some("There is one workload: intervals are over its seeds alone, and nothing is said of others.".to_owned()),
        2..FEW => Some(format!(
            "There are {most} workloads: an interval of resamples never leads out of their ratios, and holds less than 95 %."
        )),
        _ => None,
    }
}

/// Results that were too small to have a ratio.
fn floors(problems: &[Problem]) -> Option<String> {
    let small: Vec<&str> = problems
        .iter()
        .filter(|problem| {
            let runs = problem.sides.iter().flat_map(|side| &side.runs);
            let mut tests = runs.filter_map(|run| run.test());
            tests.any(|test| (0.0..problem.least()).contains(&test))
        })
        .map(|problem| problem.workload.name.as_str())
        .collect();
    (!small.is_empty()).then(|| {
        format!(
            "On {}, results of next to nothing count as half a misread sample (as 1e-12 of a loss), so that they have ratios.",
            list(&small)
        )
    })
}
