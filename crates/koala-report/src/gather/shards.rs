//! Parts of one comparison in several folders: seeds 0 to 2 here, 3 to 5 there, or KOALA here and the baselines there. A workload
//! that is called the same and decided by the same settings is one problem.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::settings::{self, Settings};
use crate::compare::list;
use crate::{ListedRun, Listing, Role, Run, Workload};

/// By suite and workload: the suite whose workload it is.
pub(super) type Homes = BTreeMap<(usize, String), usize>;

/// An arm on a workload: the optimizer, and whether it was tuned.
type ArmOf = (String, bool);

/// What is known of a workload in a suite.
struct Part {
    /// Settings of the problem in which all of its runs agree; nothing if none of them tells any.
    problem: Option<Settings>,
    /// Settings of each reported arm; of one run, since all of its runs have the same.
    arms: BTreeMap<ArmOf, Settings>,
    /// Seeds of each reported arm.
    seeds: BTreeSet<(ArmOf, u64)>,
}

/// Makes one problem of workloads that are the same: it stays with the first suite that has it, and the others keep their runs of
/// it. Arms that are called the same and are not are told apart by what differs. What should be known of it is told.
pub(super) fn unite(suites: &mut [(PathBuf, Listing)]) -> (Homes, Vec<String>) {
    let (mut homes, mut told) = (Homes::new(), Vec::new());
    for at in 0..suites.len() {
        let names: Vec<String> = {
            let workloads = suites[at].1.workloads.iter();
            workloads.map(|workload| workload.name.clone()).collect()
        };
        for name in names {
            let home = (0..at).filter(|home| homes.get(&(*home, name.clone())) == Some(home));
            let home = home.filter(|home| of(&suites[*home].1, &name).is_some());
            let mut kept = at;
            for home in home {
                match differences(&suites[home], &suites[at], &name) {
                    None => {
                        kept = home;
                        break;
                    }
                    Some(differing) => told.extend(two(&name, &differing)),
                }
            }
            homes.insert((at, name.clone()), kept);
            if kept != at {
                suites[at].1.workloads.retain(|one| one.name != name);
                rename(suites, &homes, &name, kept, at);
                told.extend(without_doubles(suites, &homes, &name, kept, at));
            }
        }
    }
    (homes, told)
}

fn of<'a>(listing: &'a Listing, name: &str) -> Option<&'a Workload> {
    let mut workloads = listing.workloads.iter();
    workloads.find(|workload| workload.name == name)
}

/// In what two workloads of the same name differ; nothing if they are the same problem. Where nothing is known that would tell them
/// apart or show that they are the same, an empty list.
fn differences(
    one: &(PathBuf, Listing),
    other: &(PathBuf, Listing),
    name: &str,
) -> Option<Vec<String>> {
    let (Some(first), Some(second)) = (of(&one.1, name), of(&other.1, name)) else {
        return Some(Vec::new());
    };
    // What is odd about the data is told by a run that may not have come to its end here.
    let told = |workload: &Workload| Workload {
        data_warnings: Vec::new(),
        ..workload.clone()
    };
    if told(first) != told(second) {
        return Some(vec!["what the suites say of it".to_owned()]);
    }
    let parts = [one, other].map(|(folder, listing)| Part::of(folder, listing, name));
    match [&parts[0].problem, &parts[1].problem] {
        [Some(first), Some(second)] => {
            let differing = settings::differing(&[first, second]);
            let names = differing.into_iter().map(|name| {
                let value = |of: &Settings| of.get(name).cloned().unwrap_or("none".to_owned());
                format!("{name} ({} and {})", value(first), value(second))
            });
            Some(names.collect()).filter(|names: &Vec<String>| !names.is_empty())
        }
        // The same seeds of the same arm would be runs of which nobody knows whether they are the same.
        _ if parts[0].seeds.is_disjoint(&parts[1].seeds) => None,
        _ => Some(Vec::new()),
    }
}

/// What is said of two problems that are called the same.
fn two(name: &str, differing: &[String]) -> Option<String> {
    (!differing.is_empty()).then(|| {
        format!(
            "The suites have a workload '{name}' each, but they are two problems: they differ in {}.",
            list(differing)
        )
    })
}

impl Part {
    fn of(folder: &Path, listing: &Listing, name: &str) -> Self {
        let mut part = Self {
            problem: None,
            arms: BTreeMap::new(),
            seeds: BTreeSet::new(),
        };
        for run in listing.runs.iter().filter(|run| run.workload == name) {
            let Some(arm) = arm(run) else {
                continue;
            };
            part.seeds.insert((arm.clone(), run.seed));
            if part.arms.contains_key(&arm) {
                continue;
            }
            // What cannot be read is told where runs are read.
            let Some(config) = Run::config_in(&folder.join(&run.folder)).ok().flatten() else {
                continue;
            };
            let (own, problem) = settings::apart(&settings::of(&config));
            part.arms.insert(arm, own);
            match &mut part.problem {
                None => part.problem = Some(problem),
                Some(known) => known.retain(|name, value| problem.get(name) == Some(value)),
            }
        }
        part
    }
}

/// The arm that a run is reported for; nothing of trials and sweeps.
fn arm(run: &ListedRun) -> Option<ArmOf> {
    match run.role {
        Role::Defaults => Some((run.optimizer.clone(), false)),
        Role::Tuned => Some((run.optimizer.clone(), true)),
        Role::Trial { .. } | Role::Sweep { .. } => None,
    }
}

/// Calls arms of the suite `at` by what they differ in from those of the same name in the suites of which it is a part.
fn rename(suites: &mut [(PathBuf, Listing)], homes: &Homes, name: &str, home: usize, at: usize) {
    let (folder, listing) = &suites[at];
    let own = Part::of(folder, listing, name).arms;
    for (arm, settings) in own {
        for other in parts(homes, name, home).filter(|other| *other < at) {
            let (folder, listing) = &suites[other];
            let theirs = Part::of(folder, listing, name).arms;
            let Some(known) = theirs.get(&arm).filter(|known| **known != settings) else {
                continue;
            };
            let both = [known, &settings];
            let labels = both.map(|of| settings::label(&arm.0, of, &both));
            for (suite, label) in [(other, &labels[0]), (at, &labels[1])] {
                call(&mut suites[suite].1, name, &arm, label);
            }
            break;
        }
    }
}

/// The suites with runs of a problem, in order.
fn parts<'a>(homes: &'a Homes, name: &'a str, home: usize) -> impl Iterator<Item = usize> + 'a {
    let such = homes
        .iter()
        .filter(move |((_, of), kept)| of == name && **kept == home);
    such.map(|((at, _), _)| *at)
}

/// Gives an arm of a workload another name: its runs, and if it was tuned its trials and what was chosen.
fn call(listing: &mut Listing, name: &str, (optimizer, tuned): &ArmOf, label: &str) {
    for run in &mut listing.runs {
        let such = match run.role {
            Role::Tuned | Role::Trial { .. } => *tuned,
            Role::Defaults | Role::Sweep { .. } => !*tuned,
        };
        if such && run.workload == name && run.optimizer == *optimizer {
            label.clone_into(&mut run.optimizer);
        }
    }
    for choice in &mut listing.choices {
        if *tuned && choice.workload == name && choice.optimizer == *optimizer {
            label.clone_into(&mut choice.optimizer);
        }
    }
}

/// Leaves out of the suite `at` what the suites of which it is a part have already: the same seed of the same arm, trials, what was
/// chosen.
fn without_doubles(
    suites: &mut [(PathBuf, Listing)],
    homes: &Homes,
    name: &str,
    home: usize,
    at: usize,
) -> Option<String> {
    let before: Vec<usize> = parts(homes, name, home)
        .filter(|other| *other < at)
        .collect();
    let known = |has: &dyn Fn(&Listing) -> bool| before.iter().any(|other| has(&suites[*other].1));
    let listing = &suites[at].1;
    let double = |run: &ListedRun| match &run.role {
        // Their numbers mean something in their own suite only.
        Role::Trial { .. } => known(&|other: &Listing| {
            other.runs.iter().any(|theirs| {
                let trial = matches!(theirs.role, Role::Trial { .. });
                trial && theirs.workload == name && theirs.optimizer == run.optimizer
            })
        }),
        role => known(&|other: &Listing| {
            other.runs.iter().any(|theirs| {
                (&theirs.role, theirs.seed) == (role, run.seed)
                    && theirs.workload == name
                    && theirs.optimizer == run.optimizer
            })
        }),
    };
    let doubles: Vec<bool> = listing
        .runs
        .iter()
        .map(|run| run.workload == name && double(run))
        .collect();
    let chosen: Vec<bool> = listing
        .choices
        .iter()
        .map(|choice| {
            choice.workload == name
                && known(&|other: &Listing| {
                    other.choices.iter().any(|theirs| {
                        theirs.workload == name && theirs.optimizer == choice.optimizer
                    })
                })
        })
        .collect();
    let listing = &mut suites[at].1;
    let reported = |(run, double): &(&ListedRun, &bool)| **double && arm(run).is_some();
    let left_out = listing.runs.iter().zip(&doubles).filter(reported).count();
    let (mut doubles, mut chosen) = (doubles.into_iter(), chosen.into_iter());
    listing.runs.retain(|_| doubles.next() != Some(true));
    listing.choices.retain(|_| chosen.next() != Some(true));
    (left_out > 0).then(|| {
        format!(
            "On {name}, {left_out} of the runs of '{}' are left out: another of these suites has the same arms with the same seeds.",
            listing.name
        )
    })
}
