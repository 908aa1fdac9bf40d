//! Every arm against a reference, over all workloads: untuned ones against tuned ones too, which pairs never are.

mod chosen;
mod facing;
mod notes;
mod problem;
mod ranks;
mod summed;
mod words;

use chosen::Wished;
use problem::Problem;
pub(crate) use words::who;

use super::found::Found;
use crate::{AgainstReference, ArmKind, AtHorizon, Error, Listing};

/// All arms against a reference; `untuned` is what the listing's defaults are.
///
/// # Errors
///
/// [`Error::NoReference`] and [`Error::ReferenceWithoutRuns`].
pub(super) fn of(
    name: &str,
    listing: &Listing,
    found: &Found,
    untuned: ArmKind,
) -> Result<AgainstReference, Error> {
    let problems: Vec<Problem> = listing
        .workloads
        .iter()
        .map(|workload| Problem::of(listing, workload, found, untuned))
        .collect();
    let wished = Wished::named(name, &problems)?;
    let mut factors: Vec<Option<f64>> = Vec::new();
    for problem in &problems {
        if !factors.contains(&problem.factor) {
            factors.push(problem.factor);
        }
    }
    let mut horizons = Vec::with_capacity(factors.len());
    for factor in factors {
        let same = problems.iter().filter(|problem| problem.factor == factor);
        horizons.push(at(factor, &same.collect::<Vec<_>>(), &wished)?);
    }
    let mut reference = AgainstReference {
        name: name.to_owned(),
        horizons,
        told: Vec::new(),
        notes: Vec::new(),
    };
    reference.told = words::told(&reference);
    reference.notes = notes::of(&reference, &problems);
    Ok(reference)
}

/// All arms at one length.
fn at(factor: Option<f64>, problems: &[&Problem], wished: &Wished) -> Result<AtHorizon, Error> {
    let mut references = Vec::with_capacity(problems.len());
    for problem in problems {
        references.push(wished.on(problem)?);
    }
    let mut names: Vec<(&str, ArmKind)> = Vec::new();
    for side in problems.iter().flat_map(|problem| &problem.sides) {
        let name = (side.optimizer, side.kind);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let ranks = ranks::of(problems, &names);
    Ok(AtHorizon {
        factor,
        arms: names
            .iter()
            .zip(ranks)
            .map(|(name, rank)| summed::of(*name, rank, problems, &references))
            .collect(),
        references: problems
            .iter()
            .zip(&references)
            .map(|(problem, reference)| chosen::told(problem, *reference))
            .collect(),
    })
}
