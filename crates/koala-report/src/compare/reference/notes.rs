//! What one has to know to read the numbers: who the reference is where, what is left out, what counts as what.

use super::problem::Problem;
use super::words::at;
use crate::compare::words::list;
use crate::{AgainstReference, ArmAgainst, ArmKind, AtHorizon, BEST, Facing, ReferenceOn};

/// Of fewer workloads no resample reaches far enough for a confidence of 95 %.
const FEW: usize = 6;

/// All of it, a sentence each.
pub(super) fn of(reference: &AgainstReference, problems: &[Problem]) -> Vec<String> {
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
