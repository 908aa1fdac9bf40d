//! Folders as people give them: suites, runs, or folders that hold runs.

mod merged;
mod plain;
mod settings;
mod shards;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use plain::Found;

use crate::compare::compare_listed;
use crate::{ArmKind, Comparison, Detail, Error, LISTING_FILE, Listing, Run, run_folders};

/// How one looks at runs; nothing for what the suites say themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The optimizer that the others are held against, or [`crate::BEST`].
    pub reference: Option<String>,
}

/// What some folders hold, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// What the runs say.
    pub comparison: Comparison,
    /// The folder in which the comparison's run folders lie.
    pub root: PathBuf,
}

/// Compares what lies in folders: those of suites, of runs, or folders that hold runs. Several suites stand side by side; a workload
/// that several of them have, called the same and decided by the same settings, is one, with the seeds of all. Runs that belong to no suite are sorted by data set and network, and called by their
/// optimizer and the hyperparameters in which they differ.
///
/// # Errors
///
/// [`Error`] if nothing is given, a folder is neither a suite's nor a run's nor holds runs, or cannot be read.
pub fn gather(paths: &[PathBuf]) -> Result<Gathered, Error> {
    gather_as(paths, &View::default())
}

/// As [`gather`], looked at in this way.
///
/// # Errors
///
/// As [`gather`], and if the reference is not there.
pub fn gather_as(paths: &[PathBuf], view: &View) -> Result<Gathered, Error> {
    let mut suites: Vec<(PathBuf, Listing)> = Vec::new();
    let mut runs: Vec<Found> = Vec::new();
    let mut unreadable: Vec<Error> = Vec::new();
    for path in paths {
        let path = path.canonicalize().map_err(Error::file(path, "open"))?;
        if !path.join(LISTING_FILE).is_file() {
            find(&path, &mut runs, &mut unreadable)?;
        } else if !suites.iter().any(|(known, _)| *known == path) {
            let listing = Listing::read(&path)?;
            suites.push((path, listing));
        }
    }
    runs.sort_by(|one, other| one.folder.cmp(&other.folder));
    runs.dedup_by(|one, other| one.folder == other.folder);
    // A run of a suite that is given too has its role there.
    runs.retain(|run| {
        !suites
            .iter()
            .any(|(suite, _)| run.folder.starts_with(suite))
    });
    if runs.is_empty() && suites.is_empty() && !unreadable.is_empty() {
        return Err(unreadable.swap_remove(0));
    }
    if runs.is_empty()
        && unreadable.is_empty()
        && let [(_, _)] = suites.as_slice()
        && let Some((root, mut listing)) = suites.pop()
    {
        view.over(&mut listing);
        let comparison = compare_listed(&root, listing, ArmKind::Defaults)?;
        return Ok(Gathered { comparison, root });
    }
    let untuned = match suites.is_empty() {
        true => ArmKind::Own,
        false => ArmKind::Defaults,
    };
    let told = unreadable.iter();
    let mut warnings: Vec<String> = told
        .map(|fault| format!("A run is left out: {fault}"))
        .collect();
    if let Some(root) = root(runs.iter().map(|run| run.folder.as_path())) {
        let (listing, told) = plain::listing(&runs, &root);
        warnings.extend(told);
        if untuned == ArmKind::Defaults {
            warnings.push(
                "What is called defaults of these runs is each run's own settings.".to_owned(),
            );
        }
        suites.push((root, listing));
    }
    let root = match suites.as_slice() {
        [] => return Err(Error::NoFolder),
        [(only, _)] => only.clone(),
        // The runs of each lie below its folder, so that their common folder may be one of these.
        several => common(several.iter().map(|(folder, _)| folder.as_path())),
    };
    let (mut listing, told) = merged::listing(suites, view, &root);
    warnings.extend(told);
    view.over(&mut listing);
    let mut comparison = compare_listed(&root, listing, untuned)?;
    comparison.warnings.splice(0..0, warnings);
    Ok(Gathered { comparison, root })
}

impl View {
    fn over(&self, listing: &mut Listing) {
        if let Some(reference) = &self.reference {
            listing.reference = Some(reference.clone());
        }
    }
}

/// The run in a folder, or those that it holds. One that cannot be read, or is damaged, does not take the others away.
fn find(path: &Path, found: &mut Vec<Found>, unreadable: &mut Vec<Error>) -> Result<(), Error> {
    for folder in run_folders(path)? {
        match Run::read(&folder, Detail::Measures) {
            Ok(run) => found.push(Found::new(&folder, run)),
            Err(fault) => unreadable.push(fault),
        }
    }
    Ok(())
}

/// The innermost folder that holds all of them, and is none of them; nothing if there are none.
fn root<'a>(mut folders: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let first = folders.next()?.parent()?.to_owned();
    let parents = folders.filter_map(Path::parent);
    Some(parents.fold(first, |root, folder| shared(&root, folder)))
}

/// The innermost folder that holds all of them or is one of them.
fn common<'a>(mut folders: impl Iterator<Item = &'a Path>) -> PathBuf {
    let first = folders.next().unwrap_or(Path::new("")).to_owned();
    folders.fold(first, |root, folder| shared(&root, folder))
}

/// The innermost folder that holds both.
fn shared(one: &Path, other: &Path) -> PathBuf {
    let pairs = one.components().zip(other.components());
    pairs
        .take_while(|(left, right)| left == right)
        .map(|(part, _)| part)
        .collect()
}
