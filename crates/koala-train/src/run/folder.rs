//! The folder that keeps a run.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use koala_system::{
    Entry, MANIFEST, Manifest, make_folders, new_folder, read, remove_file, sync_file, visible_json,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::contents::{
    BEST, CHECKPOINTS, CONFIG, CRITIC, Contents, DATA, EVENTS, FAILURE, RESULT, SAMPLES, WEIGHTS,
};
use super::durable::write_whole;
use super::lock::{self, Held};
use super::{CheckpointPolicy, Checkpoints, DataNote, RunConfig, RunResult, SampleFolder};
use crate::Error;
use crate::training::Status;

/// No result, failure or note on data comes near it.
pub(super) const LARGEST: u64 = 16 << 20;

/// The folder that keeps a run: `config.toml`, of data of one's own `data.json`, the log `events.jsonl`, [`TensorBoard`](super::TensorBoard)'s file, `checkpoints/`, the weights
/// of the best evaluation `best.safetensors`, and at its end `model.safetensors`, `manifest.json` with the SHA-256 of what its numbers
/// come from and, last of all, `result.json`. A run that
/// makes images has them as pictures in `samples/`; its `model.safetensors` and `best.safetensors` are the generator's,
/// and `critic.safetensors` is there at its end too. A run that failed by itself, and would again, has `failure.json` instead
/// of a result. All but the logs are written under another name and renamed, so that
/// none is ever half there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Takes `path` for a run, making it if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::FolderNotEmpty`] if it holds something and `overwrite` is false (the beginning of a run that broke off before it had
    /// a configuration is nothing); with `overwrite` the run in it is removed. [`Error::Foreign`] if it then holds something that is no
    /// part of a run: nothing is removed. [`Error::File`] if it cannot be made, [`Error::Busy`] if a program is at that run.
    pub fn take(path: &Path, overwrite: bool) -> Result<Self, Error> {
        make_folders(path).map_err(Error::file(path, "create"))?;
        let run = Self {
            path: path.to_owned(),
        };
        let found = match Contents::of(path) {
            Err(Error::Foreign { .. }) if !overwrite => None,
            found => Some(found?),
        };
        match found {
            Some(found) if overwrite || found.is_nothing() => {
                if found.is_anything() {
                    let _lock = run.lock()?;
                    found.remove()?;
                }
                Ok(run)
            }
            _ => Err(Error::FolderNotEmpty {
                folder: path.to_owned(),
            }),
        }
    }

    /// The folder of a run that was begun, to go on with it, and its configuration.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`] if there is none; [`Error::Config`] if its configuration is damaged.
    pub fn open(path: &Path) -> Result<(Self, RunConfig), Error> {
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(Error::NoRun {
                folder: path.to_owned(),
                fault: if path.is_dir() {
                    format!("there is no {CONFIG} in it")
                } else {
                    "there is no such folder".to_owned()
                },
            });
        }
        let config = RunConfig::resolve(Some(&config), &[])?;
        let run = Self {
            path: path.to_owned(),
        };
        Ok((run, config))
    }

    /// The folder `path`, whatever is in it.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Whether a run was begun in it.
    pub fn is_begun(&self) -> bool {
        self.path.join(CONFIG).is_file()
    }

    /// What a file holds; nothing if it is not there or damaged.
    pub(super) fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let file = self.path.join(name);
        match read(&file, LARGEST) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            text => {
                let text = text.map_err(Error::file(&file, "read"))?;
                Ok(serde_json::from_slice(&text).ok())
            }
        }
    }

    /// Takes a new folder inside `parent`, called after the run and numbered: the first number that is free, also when
    /// several programs ask at the same time.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn fresh(parent: &Path, config: &RunConfig) -> Result<Self, Error> {
        make_folders(parent).map_err(Error::file(parent, "create"))?;
        let name = format!(
            "{}-{}-{}",
            config.dataset.name(),
            config.model.name(),
            config.optimizer.name()
        );
        let mut number = 1u64;
        loop {
            let path = parent.join(format!("{name}-{number:03}"));
            match new_folder(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(cause) => return Err(Error::file(path, "create")(cause)),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the weights are.
    pub fn weights(&self) -> PathBuf {
        self.path.join(WEIGHTS)
    }

    /// Stores the weights, as safetensors.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if they cannot be written.
    pub fn write_weights(&self, weights: &[u8]) -> Result<(), Error> {
        self.write(WEIGHTS, weights)
    }

    /// Stores a critic's weights, as safetensors.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if they cannot be written.
    pub fn write_critic(&self, weights: &[u8]) -> Result<(), Error> {
        self.write(CRITIC, weights)
    }

    /// Stores the configuration.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<(), Error> {
        self.write(CONFIG, config.to_toml().as_bytes())
    }

    /// Stores what the run learns from, if that is data of one's own.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub(super) fn write_data(&self, note: Option<&DataNote>) -> Result<(), Error> {
        let Some(note) = note else {
            return Ok(());
        };
        let text = json(note).map_err(Error::file(self.path.join(DATA), "write"))?;
        self.write(DATA, text.as_bytes())
    }

    /// Stores the result, and before it what it rests on: the size and SHA-256 of each file that its numbers come from, and of
    /// itself. Of a run that was stopped the files will change, and none is noted.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub fn write_result(&self, result: &RunResult) -> Result<(), Error> {
        let text = json(result).map_err(Error::file(self.path.join(RESULT), "write"))?;
        if result.status == Status::Completed {
            // The others were synced when they were written; a log may end in what a crash would take away.
            let log = self.path.join(EVENTS);
            sync_file(&log).map_err(Error::file(&log, "write"))?;
            let mut files = BTreeMap::from([(RESULT.to_owned(), Entry::of(text.as_bytes()))]);
            for name in [CONFIG, DATA, EVENTS, WEIGHTS, CRITIC, BEST] {
                let file = self.path.join(name);
                match Entry::of_file(&file) {
                    Err(cause) if cause.kind() == ErrorKind::NotFound => None,
                    entry => {
                        files.insert(name.to_owned(), entry.map_err(Error::file(&file, "read"))?)
                    }
                };
            }
            let manifest = Manifest::of(files).map_err(std::io::Error::from);
            let manifest = manifest.and_then(|manifest| json(&manifest));
            let manifest = manifest.map_err(Error::file(self.path.join(MANIFEST), "write"))?;
            self.write(MANIFEST, manifest.as_bytes())?;
        }
        self.write(RESULT, text.as_bytes())
    }

    /// Forgets what an earlier result rested on: the files are about to change.
    pub(super) fn forget_manifest(&self) -> Result<(), Error> {
        let file = self.path.join(MANIFEST);
        remove_file(&file).map_err(Error::file(file, "remove"))
    }

    /// Remembers that the run failed by itself.
    pub(super) fn write_failure(&self, message: String) -> Result<(), Error> {
        let failure = RunFailure {
            message,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let text = json(&failure).map_err(Error::file(self.path.join(FAILURE), "write"))?;
        self.write(FAILURE, text.as_bytes())
    }

    /// Forgets an earlier failure: the run is tried once more.
    pub(super) fn forget_failure(&self) -> Result<(), Error> {
        let file = self.path.join(FAILURE);
        remove_file(&file).map_err(Error::file(file, "remove"))
    }

    /// Where pictures go.
    pub(super) fn samples(&self) -> SampleFolder {
        SampleFolder::new(self.path.join(SAMPLES))
    }

    /// The run's checkpoints.
    pub(super) fn checkpoints(&self, config: &RunConfig) -> Checkpoints {
        let policy = CheckpointPolicy {
            every: config.checkpoint_every,
            period: Duration::from_secs_f64(60.0 * config.checkpoint_minutes),
            keep: config.keep_checkpoints,
        };
        Checkpoints::new(self.path.join(CHECKPOINTS), self.path.join(BEST), policy)
    }

    /// Asks whether no other program is at the run, before its data are read; it is locked when it goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if one is; [`Error::File`] if that cannot be found out.
    pub fn check_free(&self) -> Result<(), Error> {
        self.lock().map(drop)
    }

    /// Keeps other programs away from the run as long as the file is open.
    pub(super) fn lock(&self) -> Result<Held, Error> {
        lock::take(&self.path)
    }

    /// Whether a program is at the run in the folder `path`. Nothing is made or kept there.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if that cannot be found out.
    pub fn is_busy(path: &Path) -> Result<bool, Error> {
        lock::is_taken(path)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        write_whole(&self.path, name, content)
    }
}

/// `failure.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunFailure {
    /// Why, in words.
    pub message: String,
    /// Version of this crate.
    version: String,
}

/// As it stands in a file.
/// As JSON that steers no terminal: names and characters come from files.
fn json(value: &impl Serialize) -> std::io::Result<String> {
    Ok(visible_json(&serde_json::to_string_pretty(value)?) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn config() -> RunConfig {
        RunConfig::resolve(None, &[]).unwrap()
    }

    #[test]
    fn fresh_folders_never_collide() {
        let parent = tempfile::tempdir().unwrap();
        let config = config();
        let taken: std::collections::HashSet<PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| RunFolder::fresh(parent.path(), &config).unwrap().path))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 8);
        assert!(taken.contains(&parent.path().join("digits-mlp-koala-a-008")));
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let run = RunFolder::take(&path, false).unwrap();
        RunFolder::take(&path, false).unwrap();
        run.write_config(&config()).unwrap();
        let text = RunFolder::take(&path, false).unwrap_err().to_string();
        assert!(text.contains("already holds files"), "{text}");
        fs::write(path.join("notes.txt"), "mine").unwrap();
        let text = RunFolder::take(&path, true).unwrap_err().to_string();
        assert!(
            text.contains("notes.txt: this is no part of a run"),
            "{text}"
        );
        assert!(run.is_begun());
        let text = RunFolder::take(&path, false).unwrap_err().to_string();
        assert!(text.contains("already holds files"), "{text}");
        fs::remove_file(path.join("notes.txt")).unwrap();
        RunFolder::take(&path, true).unwrap();
        let left: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, [".lock"]);
    }

    #[test]
    fn what_a_run_leaves_that_breaks_off_at_its_beginning_is_nothing() {
        use koala_system::faults::{Fault, failing};
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let begin = || {
            let run = RunFolder::take(&path, false)?;
            let _lock = run.lock()?;
            run.write_config(&config())
        };
        for at in 1.. {
            let (outcome, operations) = failing(parent.path(), Fault::killed(at), begin);
            if operations < at {
                outcome.unwrap();
                assert!(at > 5);
                break;
            }
            assert!(outcome.is_err());
            if RunFolder::at(&path).is_begun() {
                // Its name may not outlast a crash yet, but it is a run that can go on.
                RunFolder::open(&path).unwrap();
                RunFolder::take(&path, true).unwrap();
            }
        }
    }

    #[test]
    fn a_finished_run_is_believed_as_long_as_its_files_are_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::at(folder.path());
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(RESULT, "{\"status\": \"completed\"}");
        // Of before there were manifests, or of another program.
        assert!(run.completed().unwrap().is_some());
        write(WEIGHTS, "weights");
        let entry = |name: &str| {
            (
                name.to_owned(),
                Entry::of_file(&folder.path().join(name)).unwrap(),
            )
        };
        let manifest = Manifest::of(BTreeMap::from([entry(RESULT), entry(WEIGHTS)])).unwrap();
        write(MANIFEST, &json(&manifest).unwrap());
        assert!(run.completed().unwrap().is_some());
        write(WEIGHTS, "weightt");
        let text = run.completed().unwrap_err().to_string();
        assert!(
            text.contains("model.safetensors: is not what was written"),
            "{text}"
        );
        assert!(run.is_over().unwrap());
        write(WEIGHTS, "weights");
        write(RESULT, "{\"status\": \"completed\" }");
        assert!(matches!(run.completed(), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = RunFolder::take(file.path(), true).unwrap_err().to_string();
        assert!(text.contains("cannot create"), "{text}");
    }
}
