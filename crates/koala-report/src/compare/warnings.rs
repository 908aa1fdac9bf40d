//! What one should know before believing a comparison.

use super::choices;
use super::found::Found;
use super::words::{count, list};
use crate::statistics::LEAST;
use crate::{Arm, CONFIDENCE, Edge, Listing, RunMeasures, RunState, WorkloadComparison};

/// Runs that failed are named; so is all that makes what is said weaker than it looks, `clock` (see [`super::clock`]) too.
pub(super) fn of(
    listing: &Listing,
    found: &Found,
    workloads: &[WorkloadComparison],
    clock: Vec<String>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    unfinished(workloads, &mut warnings);
    for workload in workloads {
        for arm in &workload.arms {
            failed(workload, arm, &mut warnings);
        }
        held_out(workload, &mut warnings);
        programs(workload, &mut warnings);
    }
    data(listing, &mut warnings);
    tuning(listing, &mut warnings);
    edges(workloads, &mut warnings);
    ends(workloads, &mut warnings);
    seeds(listing, &mut warnings);
    warnings.extend(clock);
    chance(workloads, &mut warnings);
    files(listing, found, &mut warnings);
    warnings
}

/// After fewer steps optimizers have not yet shown what they do.
const BRIEF: u64 = 50;

impl WorkloadComparison {
    /// Whether its runs are too short for a verdict.
    pub(crate) fn is_brief(&self) -> bool {
        self.steps.is_some_and(|steps| steps < BRIEF)
    }
}

fn runs(workloads: &[WorkloadComparison]) -> impl Iterator<Item = &RunMeasures> {
    let arms = workloads.iter().flat_map(|workload| &workload.arms);
    arms.flat_map(|arm| &arm.runs)
}

fn unfinished(workloads: &[WorkloadComparison], warnings: &mut Vec<String>) {
    let all = runs(workloads).count();
    let counted = |state: RunState| runs(workloads).filter(|run| run.state == state).count();
    let (going, missing) = (counted(RunState::Unfinished), counted(RunState::Missing));
    if going + missing > 0 {
        warnings.push(format!(
            "{} of {all} reported runs have not come to their end ({missing} not begun or unreadable): what is said may change when they have.",
            going + missing
        ));
    }
}

fn failed(workload: &WorkloadComparison, arm: &Arm, warnings: &mut Vec<String>) {
    let broken: Vec<(u64, &str)> = arm
        .runs
        .iter()
        .filter_map(|run| match &run.state {
            RunState::Failed { message } => Some((run.seed, message.as_str())),
            _ => None,
        })
        .collect();
    let Some((_, why)) = broken.first() else {
        return;
    };
    let seeds: Vec<String> = broken.iter().map(|(seed, _)| seed.to_string()).collect();
    warnings.push(format!(
        "On {}, {} ({}) failed with seed{} {}, {} of {}; {}: {why}",
        workload.name,
        arm.optimizer,
        arm.kind.name(),
        if seeds.len() == 1 { "" } else { "s" },
        list(&seeds),
        seeds.len(),
        count(arm.runs.len(), "run"),
        match arm.n {
            0 => "it has no means",
            _ => "its means are over the others",
        },
    ));
}

fn held_out(workload: &WorkloadComparison, warnings: &mut Vec<String>) {
    let mut over = workload.arms.iter().flat_map(|arm| &arm.runs);
    let completed = |run: &RunMeasures| run.state == RunState::Completed;
    if over.clone().any(completed)
        && over.all(|run| !completed(run) || run.best_validation.is_none())
    {
        warnings.push(format!(
            "On {}, no run holds out samples: there is no target, and nothing to choose hyperparameters by.",
            workload.name
        ));
    }
}

/// What is odd about data of one's own.
fn data(listing: &Listing, warnings: &mut Vec<String>) {
    for workload in &listing.workloads {
        for text in &workload.data_warnings {
            warnings.push(format!("On {}: {text}.", workload.name));
        }
    }
}

fn programs(workload: &WorkloadComparison, warnings: &mut Vec<String>) {
    if workload.writers.len() > 1 {
        warnings.push(format!(
            "On {}, runs were written by {}: what else differs between them than the optimizer is not known here.",
            workload.name,
            list(&workload.writers)
        ));
    }
}

fn tuning(listing: &Listing, warnings: &mut Vec<String>) {
    for choice in listing
        .choices
        .iter()
        .filter(|choice| choice.trial.is_none())
    {
        warnings.push(format!(
            "On {}, every trial of {} failed: it has no tuned runs.",
            choice.workload, choice.optimizer
        ));
    }
    let tuned = listing.tuning.iter().flat_map(|tuning| &tuning.seeds);
    let both: Vec<String> = tuned
        .filter(|seed| listing.seeds.contains(seed))
        .map(u64::to_string)
        .collect();
    if !both.is_empty() {
        warnings.push(format!(
            "Used both for tuning and for reporting, which makes tuned results too good: seed{} {}.",
            if both.len() == 1 { "" } else { "s" },
            list(&both)
        ));
    }
}

/// Where the best may lie beyond what was tried.
fn edges(workloads: &[WorkloadComparison], warnings: &mut Vec<String>) {
    for ((optimizer, name, edge), places) in choices::at_edges(workloads) {
        let places: Vec<String> = places
            .iter()
            .map(|(workload, value)| format!("{workload} ({value})"))
            .collect();
        warnings.push(format!(
            "Tuning chose the {} {name} that was tried of {optimizer} on {}: the best may lie beyond. Give it a wider space.",
            match edge {
                Edge::Least => "least",
                Edge::Largest => "largest",
            },
            list(&places)
        ));
    }
}

/// Runs that are too short to be judged by.
fn ends(workloads: &[WorkloadComparison], warnings: &mut Vec<String>) {
    let brief = workloads.iter().filter(|workload| workload.is_brief());
    let brief: Vec<String> = brief
        .map(|workload| format!("{} ({})", workload.name, workload.steps.unwrap_or(0)))
        .collect();
    if !brief.is_empty() {
        warnings.push(format!(
            "Of less than {BRIEF} steps, which is no basis for a verdict: {}.",
            list(&brief)
        ));
    }
    let falling = workloads
        .iter()
        .filter(|workload| !workload.falling.is_empty());
    let (mut places, mut most) = (Vec::new(), 0.0_f64);
    for workload in falling {
        let shares = workload.falling.iter().map(|arm| arm.share);
        most = shares.fold(most, f64::max);
        places.push(format!(
            "{} ({} of {})",
            workload.name,
            workload.falling.len(),
            count(workload.arms.len(), "arm")
        ));
    }
    if !places.is_empty() {
        warnings.push(format!(
            "Curves still fall at the end on {}, by up to {:.0} % over the last quarter of the steps: who is better may change with \
             more steps.",
            list(&places),
            100.0 * most
        ));
    }
}

fn seeds(listing: &Listing, warnings: &mut Vec<String>) {
    let n = listing.seeds.len();
    if n < LEAST {
        warnings.push(format!(
            "With {} nothing is called better: it takes at least {LEAST}.",
            count(n, "seed")
        ));
    } else if n < 5 {
        warnings.push(format!(
            "With {n} seeds p is never below 1/{}, and only differences of several standard deviations are found.",
            1u32 << n
        ));
    }
}

/// So many false findings are to be expected where there is nothing to find.
fn chance(workloads: &[WorkloadComparison], warnings: &mut Vec<String>) {
    let tested = workloads.iter().flat_map(|workload| &workload.pairs);
    let tests = tested.filter(|pair| pair.p.is_some()).count();
    let expected = tests as f64 * (1.0 - CONFIDENCE);
    if expected >= 0.5 {
        warnings.push(format!(
            "{tests} pairs are compared: if all optimizers were the same, about {expected:.0} of them would be called different by \
             chance. p adjusted for that (Holm) stands with each pair."
        ));
    }
}

/// What runs say of themselves, beside what is worth knowing of their data.
fn of_runs(listing: &Listing, found: &Found, warnings: &mut Vec<String>) {
    for run in &listing.runs {
        let data = (listing.workloads.iter())
            .find(|workload| workload.name == run.workload)
            .map_or(&[][..], |workload| &workload.data_warnings);
        let result = found.get(&run.folder).and_then(|run| run.result.as_ref());
        for text in result.iter().flat_map(|result| &result.warnings) {
            let told = format!("{}: {text}", run.folder);
            if !data.contains(text) && !warnings.contains(&told) {
                warnings.push(told);
            }
        }
    }
}

fn files(listing: &Listing, found: &Found, warnings: &mut Vec<String>) {
    for fault in found.unreadable.values() {
        warnings.push(format!("A run is left out: {fault}"));
    }
    for (folder, (lines, first)) in &found.damaged {
        warnings.push(format!(
            "{folder}/events.jsonl: {} left out that cannot be read; the first is line {}: {}",
            count(*lines, "line"),
            first.line,
            first.fault
        ));
    }
    of_runs(listing, found, warnings);
    for run in &listing.runs {
        let start = found
            .get(&run.folder)
            .and_then(|run| run.log.start.as_ref());
        if let Some(start) = start.filter(|start| start.seed != run.seed) {
            warnings.push(format!(
                "{} is listed with seed {}, but its log says {}: delete it and run the comparison again.",
                run.folder, run.seed, start.seed
            ));
        }
    }
}
