//! What tuning chose, of what, and whether the best may lie beyond it.

use std::collections::BTreeSet;

use crate::{
    Choice, Chosen, ChosenValue, Edge, Listing, Sampler, Trial, Workload, WorkloadComparison,
};

/// So many different values of a hyperparameter have an end that means something.
const LEAST: usize = 3;

/// What was chosen for each optimizer that was tuned on a workload.
pub(super) fn of(listing: &Listing, workload: &Workload, trials: &[Trial]) -> Vec<Chosen> {
    let choices = listing.choices.iter();
    let own = choices.filter(|choice| choice.workload == workload.name);
    // A grid ends where it was made to end. Points that fill a space have some point at each of its ends: that it was chosen says
    // something if the next best lies on that side too.
    let filled = listing
        .tuning
        .as_ref()
        .is_some_and(|tuning| tuning.sampler == Sampler::Halton);
    own.map(|choice| {
        let such = trials.iter();
        let tried: Vec<&Trial> = such
            .filter(|trial| trial.optimizer == choice.optimizer)
            .collect();
        chosen(choice, &tried, filled)
    })
    .collect()
}

fn chosen(choice: &Choice, tried: &[&Trial], filled: bool) -> Chosen {
    let value = |(name, value): (&String, &f64)| {
        let all = || tried.iter().filter_map(|trial| trial.values.get(name));
        let all = || all().copied();
        ChosenValue {
            name: name.clone(),
            value: *value,
            least: all().fold(*value, f64::min),
            largest: all().fold(*value, f64::max),
            edge: choice
                .trial
                .and_then(|chosen| edge(name, *value, chosen, tried, filled)),
        }
    };
    Chosen {
        optimizer: choice.optimizer.clone(),
        trial: choice.trial,
        trials: tried.len(),
        failed: tried
            .iter()
            .filter(|trial| trial.validation.is_none())
            .count(),
        validation: choice.validation,
        values: choice.values.iter().map(value).collect(),
    }
}

/// The end of what was tried of a hyperparameter at which the chosen value lies.
fn edge(name: &str, value: f64, chosen: usize, tried: &[&Trial], filled: bool) -> Option<Edge> {
    let mut values: Vec<f64> = tried
        .iter()
        .filter_map(|trial| trial.values.get(name).copied())
        .collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let (first, last) = (*values.first()?, *values.last()?);
    let edge = match value {
        _ if values.len() < LEAST => return None,
        _ if value <= first => Edge::Least,
        _ if value >= last => Edge::Largest,
        _ => return None,
    };
    let next = tried.iter().filter(|trial| trial.trial != chosen);
    let next = next
        .filter_map(|trial| Some((trial.validation?, *trial.values.get(name)?)))
        .min_by(|one, other| one.0.total_cmp(&other.0));
    let middle = values[values.len() / 2];
    let near = match (edge, next) {
        (Edge::Least, Some((_, next))) => next < middle,
        (Edge::Largest, Some((_, next))) => next >= middle,
        (_, None) => true,
    };
    (!filled || near).then_some(edge)
}

/// An optimizer, its hyperparameter, and the end at which it lies.
type AtEdge<'a> = (&'a str, &'a str, Edge);
/// A workload, and the value that was chosen there.
type Place<'a> = (&'a str, f64);

/// Choices at an end of what was tried: where, and with which value.
pub(super) fn at_edges(workloads: &[WorkloadComparison]) -> Vec<(AtEdge<'_>, Vec<Place<'_>>)> {
    let keys: BTreeSet<AtEdge> = edges(workloads).map(|(key, _)| key).collect();
    let places = |key: &AtEdge| {
        let own = edges(workloads).filter(|(other, _)| other == key);
        own.map(|(_, place)| place).collect()
    };
    keys.into_iter().map(|key| (key, places(&key))).collect()
}

fn edges(workloads: &[WorkloadComparison]) -> impl Iterator<Item = (AtEdge<'_>, Place<'_>)> {
    workloads.iter().flat_map(|workload| {
        workload.choices.iter().flat_map(move |choice| {
            choice.values.iter().filter_map(move |value| {
                let key = (choice.optimizer.as_str(), value.name.as_str(), value.edge?);
                Some((key, (workload.name.as_str(), value.value)))
            })
        })
    })
}
