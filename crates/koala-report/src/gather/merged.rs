//! Several suites side by side, as one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{View, shards};
use crate::{LISTING_FORMAT, Listing};

/// A listing of all suites, their run folders seen from `root`, and what should be known of it. A workload that several of them have
/// is one (see [`shards`]); other workloads that are called the same carry the suites' names, or their folders if those are the same
/// too.
/// A reference that `view` asks for stands for those of all suites.
pub(super) fn listing(
    mut suites: Vec<(PathBuf, Listing)>,
    view: &View,
    root: &Path,
) -> (Listing, Vec<String>) {
    let (homes, mut warnings) = shards::unite(&mut suites);
    let ambiguous = ambiguous(&suites, |listing| {
        let names = listing.workloads.iter();
        names.map(|workload| workload.name.clone()).collect()
    });
    let namesakes = self::ambiguous(&suites, |listing| vec![listing.name.clone()]);
    let labels: Vec<String> = suites
        .iter()
        .map(
            |(folder, listing)| match namesakes.contains(&listing.name) {
                true => inner(folder, root).display().to_string(),
                false => listing.name.clone(),
            },
        )
        .collect();
    for (at, (folder, listing)) in suites.iter_mut().enumerate() {
        let suite = |name: &str| {
            let home = homes.get(&(at, name.to_owned())).copied().unwrap_or(at);
            labels.get(home).map_or("", String::as_str)
        };
        let renamed = |name: &str| match ambiguous.contains(name) {
            true => format!("{name} of {}", suite(name)),
            false => name.to_owned(),
        };
        for workload in &mut listing.workloads {
            if let Some(horizon) = &mut workload.horizon
                && ambiguous.contains(&workload.name)
            {
                horizon.of = format!("{} of {}", horizon.of, suite(&workload.name));
            }
            workload.name = renamed(&workload.name);
        }
        for choice in &mut listing.choices {
            choice.workload = renamed(&choice.workload);
        }
        for run in &mut listing.runs {
            run.workload = renamed(&run.workload);
            let folder = inner(folder, root).join(&run.folder);
            run.folder = folder.to_string_lossy().into_owned();
        }
    }
    if suites.len() == 1
        && let Some((_, listing)) = suites.pop()
    {
        return (listing, warnings);
    }
    let name = root.file_name().unwrap_or(root.as_os_str());
    let mut all = Listing {
        format: LISTING_FORMAT,
        program: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: name.to_string_lossy().into_owned(),
        source: String::new(),
        seeds: Vec::new(),
        tuning: suites
            .iter()
            .find_map(|(_, listing)| listing.tuning.clone()),
        reference: suites
            .first()
            .and_then(|(_, listing)| listing.reference.clone()),
        workloads: Vec::new(),
        runs: Vec::new(),
        choices: Vec::new(),
        jobs: 1,
        threads: suites.first().map_or(0, |(_, listing)| listing.threads),
    };
    let (mut seeds, mut sources) = (BTreeSet::new(), Vec::new());
    let (mut efforts, mut threads, mut references) = (false, false, false);
    for (_, listing) in suites {
        efforts |= listing.tuning.is_some() && listing.tuning != all.tuning;
        threads |= listing.threads != all.threads;
        references |= listing.reference != all.reference;
        all.jobs = all.jobs.max(listing.jobs);
        seeds.extend(listing.seeds);
        sources.push(listing.source);
        all.workloads.extend(listing.workloads);
        all.runs.extend(listing.runs);
        all.choices.extend(listing.choices);
    }
    if efforts {
        all.tuning = None;
        warnings.push(
            "The suites were tuned with different effort: their tuned results stand side by side only.".to_owned(),
        );
    }
    if threads {
        all.threads = 0;
        warnings.push("The suites gave their runs different numbers of threads: seconds are comparable within a suite only.".to_owned());
    }
    if references && view.reference.is_none() {
        all.reference = None;
        warnings.push("The suites name different references, or not all name one: nothing is held against any.".to_owned());
    }
    all.seeds = seeds.into_iter().collect();
    all.source = sources.join("; ");
    (all, warnings)
}

/// A suite's folder seen from `root`.
fn inner<'a>(folder: &'a Path, root: &Path) -> &'a Path {
    folder.strip_prefix(root).unwrap_or(folder)
}

/// The names that occur in more than one suite.
fn ambiguous(
    suites: &[(PathBuf, Listing)],
    names: fn(&Listing) -> Vec<String>,
) -> BTreeSet<String> {
    let (mut known, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for name in suites.iter().flat_map(|(_, listing)| names(listing)) {
        if !known.insert(name.clone()) {
            twice.insert(name);
        }
    }
    twice
}
