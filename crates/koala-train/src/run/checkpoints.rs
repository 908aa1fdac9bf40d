//! The checkpoints of a run on disk.
//!
//! Each is a folder `step-000000001200`. It is written under another name, synced and renamed, so that it is there as a
//! whole or not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use koala_system::{Entry, MANIFEST, own_folder, remove_file, remove_folder, rename, sync_folder};

use super::bound::Bound;
use super::durable::write_whole;
use super::manifest::{Kept, read, write_files};
use crate::Error;
use crate::training::{Checkpoint, Keeper};

const PREFIX: &str = "step-";
/// What is being written, or was when the program was killed.
const DRAFT: &str = ".step-";
/// The files of checkpoints, beside their manifest.
const PARTS: [&str; 9] = [
    "progress.json",
    "model.safetensors",
    "optimizer.safetensors",
    "average.safetensors",
    "carry.safetensors",
    "generator.safetensors",
    "generator-optimizer.safetensors",
    "critic.safetensors",
    "critic-optimizer.safetensors",
];
/// No network's weights come near it.
const LARGEST: u64 = 1 << 40;

/// Whether it is the name of a checkpoint's folder, finished or not.
pub(super) fn is_one(name: &str) -> bool {
    let whole = match name.strip_prefix('.') {
        Some(draft) => draft
            .strip_suffix(".part")
            .or_else(|| draft.strip_suffix(".old")),
        None => Some(name),
    };
    let digits = whole.and_then(|name| name.strip_prefix(PREFIX));
    digits.is_some_and(|digits| digits.len() >= 12 && digits.parse::<u64>().is_ok())
}

/// Whether it is the name of a file in it.
pub(super) fn is_part(name: &str) -> bool {
    name == MANIFEST || PARTS.contains(&name)
}

/// When checkpoints are made and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckpointPolicy {
    /// Every so many steps; 0 for none by steps.
    pub every: u64,
    /// When so much time has gone by since the last.
    pub period: Duration,
    /// The last so many are kept, at least one.
    pub keep: usize,
}

/// The checkpoints of one run.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    best: PathBuf,
    policy: CheckpointPolicy,
    last: Instant,
    /// What they belong to; nothing where nobody asks.
    bound: Option<Bound>,
    /// The weights of the best evaluation as they were written; nothing if none were, or that is not known.
    kept_best: Option<Entry>,
}

/// What was found when a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The newest that is whole; none if none was made yet.
    pub checkpoint: Option<Checkpoint>,
    /// What was wrong with newer ones, a line each.
    pub warnings: Vec<String>,
    /// What the checkpoint belongs to, if it says so.
    pub(super) bound: Option<Bound>,
    /// The weights of the best evaluation by then, if it says so.
    pub(super) best: Option<Entry>,
}

impl Checkpoints {
    /// The checkpoints in `folder`, which is made with the first of them; `best` is the file for the weights of the best
    /// evaluation.
    pub fn new(folder: PathBuf, best: PathBuf, policy: CheckpointPolicy) -> Self {
        Self {
            folder,
            best,
            policy,
            last: Instant::now(),
            bound: None,
            kept_best: None,
        }
    }

    /// The same, whose checkpoints belong to a run, and that goes on from one with these weights of its best evaluation.
    pub(super) fn of_run(self, bound: Bound, kept_best: Option<Entry>) -> Self {
        Self {
            bound: Some(bound),
            kept_best,
            ..self
        }
    }

    /// Keeps this checkpoint and no other.
    pub(super) fn only(mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        self.policy.keep = 1;
        // One that cannot be removed is none that is wrong.
        self.keep(checkpoint).map(drop)
    }

    /// The weights of the best evaluation, if there are any, compared with what was written.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if they are others, or gone; [`Error::File`] if they cannot be read.
    pub(super) fn whole_best(&self) -> Result<Option<Vec<u8>>, Error> {
        let damaged = |fault: &str| Error::Damaged {
            file: self.best.clone(),
            fault: fault.to_owned(),
        };
        let weights = match koala_system::read(&self.best, LARGEST) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return match self.kept_best {
                    Some(_) => Err(damaged("it is missing")),
                    None => Ok(None),
                };
            }
            weights => weights.map_err(Error::file(&self.best, "read"))?,
        };
        match self
            .kept_best
            .as_ref()
            .and_then(|entry| entry.fault(&weights))
        {
            Some(fault) => Err(damaged(&fault)),
            None => Ok(Some(weights)),
        }
    }

    /// The newest checkpoint that is whole. Damaged ones are left where they are.
    ///
    /// # Errors
    ///
    /// [`Error::NoCheckpoint`] if there are some and none is whole; [`Error::File`] if the folder cannot be read.
    pub fn find(&self) -> Result<Found, Error> {
        let mut warnings = Vec::new();
        let mut all = self.replaced()?;
        all.extend(self.list()?);
        // One that was replaced counts if what replaces it is not there: stable, so that it comes later.
        all.sort_by_key(|(step, _)| *step);
        for (_, path) in all.into_iter().rev() {
            match read(&path) {
                Ok(kept) => {
                    return Ok(Found {
                        checkpoint: Some(kept.checkpoint),
                        warnings,
                        bound: kept.bound,
                        best: kept.best,
                    });
                }
                Err(fault) => warnings.push(format!("checkpoint {}: {fault}", path.display())),
            }
        }
        if warnings.is_empty() {
            return Ok(Found {
                checkpoint: None,
                warnings,
                bound: None,
                best: None,
            });
        }
        Err(Error::NoCheckpoint {
            folder: self.folder.clone(),
            faults: warnings.join("; "),
        })
    }

    /// All checkpoints by their steps, ascending. What was never finished has another name.
    fn list(&self) -> Result<Vec<(u64, PathBuf)>, Error> {
        let step = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.and_then(|name| name.strip_prefix(PREFIX)?.parse().ok())
        };
        let all = self.entries(PREFIX)?.into_iter();
        let mut found: Vec<_> = all.filter_map(|path| Some((step(&path)?, path))).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Those that were about to be replaced by others of the same steps when the program was killed.
    fn replaced(&self) -> Result<Vec<(u64, PathBuf)>, Error> {
        let step = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.and_then(|name| name.strip_prefix(DRAFT)?.strip_suffix(".old")?.parse().ok())
        };
        let all = self.entries(DRAFT)?.into_iter();
        Ok(all.filter_map(|path| Some((step(&path)?, path))).collect())
    }

    /// All that is there under names that begin so.
    fn entries(&self, prefix: &str) -> Result<Vec<PathBuf>, Error> {
        let failed = |cause| Error::file(&self.folder, "read")(cause);
        let entries = match fs::read_dir(&self.folder) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    fn write(&self, kept: &Kept) -> Result<(), Error> {
        let name = format!("{PREFIX}{:012}", kept.checkpoint.step);
        let path = self.folder.join(&name);
        let draft = self.folder.join(format!(".{name}.part"));
        let replaced = self.folder.join(format!(".{name}.old"));
        let write = || {
            own_folder(&self.folder)?;
            remove(&draft)?;
            own_folder(&draft)?;
            write_files(&draft, kept)?;
            if path.exists() {
                remove(&replaced)?;
                rename(&path, &replaced)?;
            }
            rename(&draft, &path)?;
            sync_folder(&self.folder)
        };
        write().map_err(|cause| {
            // Leaving nothing half-written matters more than a second error.
            let _ = remove(&draft);
            Error::file(&path, "write")(cause)
        })
    }

    /// Removes what is older than the ones to keep, and what was never finished. Those of later steps than the newest,
    /// `step`, are damaged: they do not count, and stay until the run comes to them.
    ///
    /// The run does not need it: what cannot be removed is told, the rest is removed.
    fn prune(&self, step: u64) -> Result<Option<String>, Error> {
        let all: Vec<_> = self.list()?.into_iter().filter(|c| c.0 <= step).collect();
        let surplus = all.len().saturating_sub(self.policy.keep.max(1));
        let old = all.into_iter().take(surplus).map(|(_, path)| path);
        let mut told = None;
        for path in old.chain(self.entries(DRAFT)?) {
            if let Err(cause) = remove(&path) {
                told = Some(format!(
                    "an old checkpoint, {}, cannot be removed ({cause}): it stays, and the run goes on",
                    path.display()
                ));
            }
        }
        Ok(told)
    }
}

impl Keeper for Checkpoints {
    fn due(&mut self, step: u64, last: bool) -> bool {
        let by_steps = self.policy.every > 0 && step.is_multiple_of(self.policy.every);
        last || by_steps || self.last.elapsed() >= self.policy.period
    }

    fn keep(&mut self, checkpoint: Checkpoint) -> Result<Option<String>, Error> {
        let step = checkpoint.step;
        self.write(&Kept {
            checkpoint,
            bound: self.bound.clone(),
            best: self.kept_best.clone(),
        })?;
        self.last = Instant::now();
        self.prune(step)
    }

    fn best(&mut self, weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
        let folder = self.best.parent().unwrap_or(Path::new(""));
        let name = self.best.file_name().and_then(|n| n.to_str());
        let weights = weights()?;
        write_whole(folder, name.unwrap_or("best.safetensors"), &weights)?;
        self.kept_best = Some(Entry::of(&weights));
        Ok(())
    }

    fn best_weights(&self) -> Result<Option<Vec<u8>>, Error> {
        self.whole_best()
    }

    fn refuse_best(&self, fault: String) -> Error {
        Error::Damaged {
            file: self.best.clone(),
            fault,
        }
    }
}

/// Removes a checkpoint, and nothing that is no part of one: with that in it, it stays.
fn remove(folder: &Path) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if is_part(&entry.file_name().to_string_lossy()) {
            remove_file(&entry.path())?;
        }
    }
    remove_folder(folder)
}

#[cfg(test)]
mod tests;
