//! The checkpoints of a run on disk.
//!
//! Each is a folder `step-000000001200`. It is written under another name, synced and renamed, so that it is there as a
//! whole or not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::durable::{sync_folder, write_whole};
use super::manifest::{read, write_files};
use crate::Error;
use crate::training::{Checkpoint, Keeper};

const PREFIX: &str = "step-";
/// What is being written, or was when the program was killed.
const DRAFT: &str = ".step-";

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
}

/// What was found when a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The newest that is whole; none if none was made yet.
    pub checkpoint: Option<Checkpoint>,
    /// What was wrong with newer ones, a line each.
    pub warnings: Vec<String>,
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
        }
    }

    /// The newest checkpoint that is whole. Damaged ones are left where they are.
    ///
    /// # Errors
    ///
    /// [`Error::NoCheckpoint`] if there are some and none is whole; [`Error::File`] if the folder cannot be read.
    pub fn find(&self) -> Result<Found, Error> {
        let mut warnings = Vec::new();
        for (_, path) in self.list()?.into_iter().rev() {
            match read(&path) {
                Ok(checkpoint) => {
                    return Ok(Found {
                        checkpoint: Some(checkpoint),
                        warnings,
                    });
                }
                Err(fault) => warnings.push(format!("checkpoint {}: {fault}", path.display())),
            }
        }
        if warnings.is_empty() {
            return Ok(Found {
                checkpoint: None,
                warnings,
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

    fn write(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let name = format!("{PREFIX}{:012}", checkpoint.step);
        let path = self.folder.join(&name);
        let draft = self.folder.join(format!(".{name}.part"));
        let replaced = self.folder.join(format!(".{name}.old"));
        let write = || {
            if !self.folder.is_dir() {
                fs::create_dir_all(&self.folder)?;
                sync_folder(self.folder.parent().unwrap_or(Path::new("")))?;
            }
            remove(&draft)?;
            remove(&replaced)?;
            fs::create_dir(&draft)?;
            write_files(&draft, checkpoint)?;
            if path.exists() {
                fs::rename(&path, &replaced)?;
            }
            fs::rename(&draft, &path)?;
            sync_folder(&self.folder)?;
            remove(&replaced)
        };
        write().map_err(|cause| {
            // Leaving nothing half-written matters more than a second error.
            let _ = remove(&draft);
            Error::file(&path, "write")(cause)
        })
    }

    /// Removes what is older than the ones to keep, and what was never finished. Those of later steps than the newest,
    /// `step`, are damaged: they do not count, and stay until the run comes to them.
    fn prune(&self, step: u64) -> Result<(), Error> {
        let all: Vec<_> = self.list()?.into_iter().filter(|c| c.0 <= step).collect();
        let surplus = all.len().saturating_sub(self.policy.keep.max(1));
        let old = all.into_iter().take(surplus).map(|(_, path)| path);
        for path in old.chain(self.entries(DRAFT)?) {
            remove(&path).map_err(Error::file(path, "remove"))?;
        }
        Ok(())
    }
}

impl Keeper for Checkpoints {
    fn due(&mut self, step: u64, last: bool) -> bool {
        let by_steps = self.policy.every > 0 && step.is_multiple_of(self.policy.every);
        last || by_steps || self.last.elapsed() >= self.policy.period
    }

    fn keep(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        self.write(&checkpoint)?;
        self.prune(checkpoint.step)?;
        self.last = Instant::now();
        Ok(())
    }

    fn best(&mut self, weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
        let folder = self.best.parent().unwrap_or(Path::new(""));
        let name = self.best.file_name().and_then(|n| n.to_str());
        write_whole(folder, name.unwrap_or("best.safetensors"), &weights()?)
    }

    fn best_weights(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(&self.best) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            weights => weights.map(Some).map_err(Error::file(&self.best, "read")),
        }
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Marks;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn checkpoint(step: u64) -> Checkpoint {
        Checkpoint {
            step,
            files: BTreeMap::from([
                ("model.safetensors".to_owned(), vec![step as u8; 300]),
                ("progress.json".to_owned(), b"{}".to_vec()),
            ]),
            marks: Marks::from([("events.jsonl".to_owned(), 10 * step)]),
        }
    }

    fn checkpoints(folder: &Path, keep: usize) -> Checkpoints {
        let policy = CheckpointPolicy {
            every: 10,
            period: Duration::from_secs(3600),
            keep,
        };
        Checkpoints::new(folder.join("checkpoints"), folder.join("best"), policy)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder.join("checkpoints"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_last_are_kept_and_the_newest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        assert_eq!(all.find().unwrap().checkpoint, None);
        for step in [3, 9, 20, 100] {
            all.keep(checkpoint(step)).unwrap();
        }
        assert_eq!(
            names(folder.path()),
            ["step-000000000020", "step-000000000100"]
        );
        let found = all.find().unwrap();
        assert_eq!(
            (found.checkpoint, found.warnings),
            (Some(checkpoint(100)), vec![])
        );
        // The same step once more.
        all.keep(checkpoint(100)).unwrap();
        assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(100)));
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn a_checkpoint_is_due_by_steps_by_time_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        assert_eq!(
            [9, 10, 11].map(|step| all.due(step, false)),
            [false, true, false]
        );
        assert!(all.due(11, true));
        all.policy.period = Duration::ZERO;
        assert!(all.due(11, false));
    }

    #[test]
    fn what_was_never_finished_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        all.keep(checkpoint(10)).unwrap();
        let part = folder.path().join("checkpoints/.step-000000000020.part");
        fs::create_dir(&part).unwrap();
        fs::write(part.join("model.safetensors"), "half").unwrap();
        assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(10)));
        // Not the same step: checkpoints by time come at others after a kill.
        all.keep(checkpoint(17)).unwrap();
        assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(17)));
        assert!(!part.exists());
    }

    #[test]
    fn damaged_ones_never_push_a_whole_one_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        for step in [10, 20, 30] {
            all.keep(checkpoint(step)).unwrap();
        }
        for step in [20, 30] {
            let path = format!("checkpoints/step-{step:012}/model.safetensors");
            fs::write(folder.path().join(path), "damage").unwrap();
        }
        all.keep(checkpoint(10)).unwrap();
        all.keep(checkpoint(15)).unwrap();
        assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(15)));
        all.keep(checkpoint(31)).unwrap();
        all.keep(checkpoint(32)).unwrap();
        assert_eq!(
            names(folder.path()),
            ["step-000000000031", "step-000000000032"]
        );
    }

    #[test]
    fn nothing_whole_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        all.keep(checkpoint(10)).unwrap();
        fs::remove_file(
            folder
                .path()
                .join("checkpoints/step-000000000010/model.safetensors"),
        )
        .unwrap();
        let text = all.find().unwrap_err().to_string();
        assert!(text.contains("model.safetensors cannot be read"), "{text}");
        assert!(text.contains("--overwrite"), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_damaged_newest_falls_back_to_the_one_before(
            file in proptest::sample::select(vec!["manifest.json", "model.safetensors", "progress.json"]),
            place in 0.0f64..1.0,
            bits in 1u8..=255,
            cut: bool,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut all = checkpoints(folder.path(), 2);
            all.keep(checkpoint(10)).unwrap();
            all.keep(checkpoint(20)).unwrap();
            let path = folder.path().join("checkpoints/step-000000000020").join(file);
            let mut content = fs::read(&path).unwrap();
            let at = ((content.len() - 1) as f64 * place) as usize;
            if cut { content.truncate(at); } else { content[at] ^= bits; }
            fs::write(&path, &content).unwrap();
            let found = all.find().unwrap();
            if found.warnings.is_empty() {
                // White space between the manifest's words became other white space.
                prop_assert_eq!(file, "manifest.json");
                prop_assert_eq!(found.checkpoint, Some(checkpoint(20)));
            } else {
                prop_assert_eq!(found.checkpoint, Some(checkpoint(10)));
                prop_assert_eq!(found.warnings.len(), 1);
            }
        }
    }
}
