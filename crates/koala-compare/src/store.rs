//! `suite.json`, written anew whenever more is known, by programs that may share its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use koala_report::{Choice, LISTING_FILE, ListedRun, Listing, Role};
use koala_system::{make_folders, open_lock, own_folder};
use koala_train::run::{RunFolder, write_whole};

use crate::Error;

const LOCK: &str = ".lock";

/// Which runs of the listing that is there belong to the other kind of question and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Which optimizer is better: sweeps stay.
    Comparison,
    /// How much do hyperparameters matter: all but sweeps stays.
    Sensitivity,
}

/// Takes a folder for a suite, making it if it is not there. What was done in it before is found again.
pub(super) fn take(folder: &Path) -> Result<(), Error> {
    make_folders(folder).map_err(Error::file(folder, "create"))?;
    let mut entries = fs::read_dir(folder).map_err(Error::file(folder, "read"))?;
    let own = [LISTING_FILE, LOCK, "runs"];
    if entries.next().is_some() && !own.iter().any(|name| folder.join(name).exists()) {
        return Err(Error::NotASuite {
            folder: folder.to_owned(),
        });
    }
    let runs = folder.join("runs");
    own_folder(&runs).map_err(Error::file(runs, "create"))
}

/// Folders of runs at the workloads' own settings, by workload: a listing that has one of them is about the same ones.
pub(super) type Bases = BTreeMap<String, BTreeSet<String>>;

/// The listing that is there; nothing if there is none, or one that is damaged or of an older format, which is written anew.
///
/// # Errors
/// [`koala_report::Error::Format`] if a newer program wrote it, whose comparison this one does not understand.
pub(super) fn before(folder: &Path) -> Result<Option<Listing>, Error> {
    match Listing::read(folder) {
        Ok(listing) => Ok(Some(listing)),
        Err(
            error @ koala_report::Error::Format {
                found, expected, ..
            },
        ) if found > u64::from(expected) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Writes a listing, with what stays of the one that is there: the answers to the other question about the same workloads,
/// and how many runs were ever at work at once.
pub(super) fn write(
    folder: &Path,
    listing: &Listing,
    question: Question,
    bases: &Bases,
) -> Result<(), Error> {
    // For as long as it takes to read and write it.
    let _lock = hold(folder)?;
    let mut listing = listing.clone();
    if let Some(before) = before(folder)? {
        lay(&mut listing, before, question, bases);
    }
    let file = folder.join(LISTING_FILE);
    let mut text =
        serde_json::to_string_pretty(&listing).map_err(|e| Error::file(file, "write")(e.into()))?;
    text.push('\n');
    Ok(write_whole(folder, LISTING_FILE, text.as_bytes())?)
}

/// Checks that no run of the listing that is there goes out of it.
///
/// # Errors
/// [`Error::OtherComparison`] if some would; that of a newer program's listing.
pub(super) fn keep_others(
    folder: &Path,
    listing: &Listing,
    question: Question,
    bases: &Bases,
) -> Result<(), Error> {
    let Some(before) = before(folder)? else {
        return Ok(());
    };
    let mut after = listing.clone();
    lay(&mut after, before.clone(), question, bases);
    let mut stays: BTreeSet<&str> = after.runs.iter().map(|run| run.folder.as_str()).collect();
    let is_tuned = |run: &ListedRun| {
        let same =
            |other: &&ListedRun| other.workload == run.workload && other.optimizer == run.optimizer;
        let trial = |other: &ListedRun| matches!(other.role, Role::Trial { .. });
        after.runs.iter().filter(same).any(trial)
    };
    let mut lost = Vec::new();
    for run in &before.runs {
        // What tuning will choose is not known yet.
        if (run.role == Role::Tuned && is_tuned(run)) || !stays.insert(&run.folder) {
            continue;
        }
        let found = RunFolder::at(&folder.join(&run.folder));
        if found.is_begun() || found.is_over()? {
            lost.push(run);
        }
    }
    match lost.first() {
        None => Ok(()),
        Some(run) => Err(Error::OtherComparison {
            folder: folder.to_owned(),
            lost: lost.len(),
            example: format!("{} on {}, seed {}", run.optimizer, run.workload, run.seed),
        }),
    }
}

/// Keeps other programs from writing about the suite as long as the file is open.
pub(super) fn hold(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let lock = open_lock(&path).map_err(Error::file(&path, "create"))?;
    lock.lock().map_err(Error::file(&path, "lock"))?;
    Ok(lock)
}

fn lay(listing: &mut Listing, before: Listing, question: Question, bases: &Bases) {
    listing.jobs = listing.jobs.max(before.jobs);
    if before.name != listing.name || before.version != listing.version {
        return;
    }
    let sweeps = question == Question::Comparison;
    let other = |run: &&ListedRun| matches!(run.role, Role::Sweep { .. }) == sweeps;
    // A sweep of three epochs says nothing about a comparison of ten.
    let of_base = |run: &ListedRun| {
        let bases = bases.get(&run.workload);
        bases.is_some_and(|bases| bases.contains(&run.folder))
    };
    let all = || before.runs.iter().filter(other);
    let same: BTreeSet<&str> = all()
        .filter(|run| of_base(run))
        .map(|run| run.workload.as_str())
        .collect();
    // Nor does another optimizer under the name of an arm.
    let of_arm = |run: &&ListedRun| {
        let mut named = listing
            .runs
            .iter()
            .filter(|new| new.optimizer == run.optimizer);
        named.all(|new| new.method == run.method)
    };
    let stays: Vec<_> = all()
        .filter(|run| same.contains(run.workload.as_str()))
        .filter(of_arm)
        .cloned()
        .collect();
    match question {
        Question::Comparison => listing.runs.extend(stays),
        // The comparison's own tables are its own only if its workloads are these.
        Question::Sensitivity if !stays.is_empty() => {
            let sweeps = std::mem::replace(&mut listing.runs, stays);
            listing.runs.extend(sweeps);
            let stays = |choice: &Choice| bases.contains_key(&choice.workload);
            listing.choices = before.choices.into_iter().filter(stays).collect();
            listing.tuning = before.tuning;
            listing.reference = before.reference;
            listing.seeds = before.seeds;
            listing.source = before.source;
        }
        Question::Sensitivity => {}
    }
}
