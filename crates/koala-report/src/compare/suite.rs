//! A whole suite.

use std::collections::BTreeSet;
use std::path::Path;

use super::arms::{self, optimizers};
use super::found::Found;
use super::measure::Measured;
use super::{
    choices, clock, ends, overview, pairs, profiles, reference, trials, verdict, warnings,
};
use crate::{
    ArmKind, BEST, Comparison, Error, Listing, Target, Workload, WorkloadComparison, Writer,
    statistics,
};

/// What the suite in a folder has found so far. Runs that are missing, going or damaged are no error: they are named in
/// [`Comparison::warnings`].
///
/// # Errors
///
/// [`Error`] if the folder holds no suite, or its `suite.json` cannot be read, is damaged or of another version, or if its
/// reference has no runs on a workload.
pub fn compare(folder: &Path) -> Result<Comparison, Error> {
    let listing = Listing::read(folder)?;
    compare_listed(folder, listing, ArmKind::Defaults)
}

/// What the runs of a listing, in folders below `folder`, have found so far; `untuned` is what its defaults are.
pub(crate) fn compare_listed(
    folder: &Path,
    listing: Listing,
    untuned: ArmKind,
) -> Result<Comparison, Error> {
    let found = Found::read(folder, &listing);
    let reference = match &listing.reference {
        Some(name) => Some(reference::of(name, &listing, &found, untuned)?),
        None => None,
    };
    let workloads: Vec<WorkloadComparison> = listing
        .workloads
        .iter()
        .map(|workload| of(&listing, workload, &found, untuned))
        .collect();
    let clock = clock::faults(&listing, &workloads);
    // Of runs of no suite it is not known who shared the machine.
    let timed = clock.is_empty() && untuned == ArmKind::Defaults;
    let profiles = profiles::of(&workloads, &listing.choices, timed);
    let verdict = verdict::of(&workloads, &listing.choices, &profiles);
    // Where nobody named a reference, KOALA is held against the best of the others. Without such there is none.
    let against = match &reference {
        Some(reference) => Some(reference.clone()),
        None => reference::of(BEST, &listing, &found, untuned).ok(),
    };
    let overview = overview::of(&listing, &workloads, against.as_ref());
    let warnings = warnings::of(&listing, &found, &workloads, clock);
    Ok(Comparison {
        name: listing.name,
        program: listing.program,
        version: listing.version,
        source: listing.source,
        seeds: listing.seeds,
        tuning: listing.tuning,
        timed,
        overview,
        reference,
        workloads,
        profiles,
        verdict,
        warnings,
    })
}

fn of(
    listing: &Listing,
    workload: &Workload,
    found: &Found,
    untuned: ArmKind,
) -> WorkloadComparison {
    let runs: Vec<Measured> = listing
        .runs
        .iter()
        .filter(|run| run.workload == workload.name)
        .map(|run| Measured::new(run, found.get(&run.folder), workload))
        .collect();
    let optimizers = optimizers(&runs);
    let target = target(workload, &optimizers, &runs, untuned);
    let arms = arms::of(listing, workload, &optimizers, &runs, target, untuned);
    let trials = trials::of(listing, workload, &optimizers, &runs);
    WorkloadComparison {
        name: workload.name.clone(),
        length: workload.horizon.as_ref().map(|horizon| horizon.factor),
        dataset: workload.dataset.clone(),
        model: workload.model.clone(),
        parameters: runs.iter().find_map(Measured::parameters),
        writers: writers(&runs),
        steps: ends::steps(&runs),
        falling: ends::falling(&optimizers, &runs, untuned),
        choices: choices::of(listing, workload, &trials),
        measure: workload.measure,
        target,
        pairs: pairs::of(&arms),
        gains: pairs::gains(&arms),
        trials,
        sweeps: trials::sweeps(&optimizers, &runs),
        arms,
    }
}

/// The programs that wrote the runs; none if all are `koala`'s.
fn writers(runs: &[Measured]) -> Vec<String> {
    let all: BTreeSet<Writer> = runs.iter().filter_map(Measured::writer).collect();
    match all.iter().any(Writer::is_another) {
        true => all.iter().map(Writer::words).collect(),
        false => Vec::new(),
    }
}

/// The workload's own target, or the median over the reported arms of their median best value.
fn target(
    workload: &Workload,
    optimizers: &[&str],
    runs: &[Measured],
    untuned: ArmKind,
) -> Option<Target> {
    if let Some(value) = workload.target {
        return Some(Target {
            value,
            derived: false,
        });
    }
    let best: Vec<f64> = arms::reported(optimizers, runs, untuned)
        .filter_map(|(_, _, runs)| {
            let best: Vec<f64> = runs
                .iter()
                .filter_map(|run| run.best_or_infinite())
                .collect();
            statistics::median(&best)
        })
        .collect();
    let value = statistics::median(&best).filter(|value| value.is_finite())?;
    Some(Target {
        value,
        derived: true,
    })
}
