//! The folder that keeps a run.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use burn::store::ModuleSnapshot;

use super::{EventLog, RunConfig, RunResult, write_weights};
use crate::Error;
use crate::models::Classifier;

const CONFIG: &str = "config.toml";
const EVENTS: &str = "events.jsonl";
const RESULT: &str = "result.json";
const WEIGHTS: &str = "model.safetensors";

/// The folder that keeps a run: `config.toml`, `events.jsonl`, and at its end `model.safetensors` and, last of all,
/// `result.json`. All but the log are written under another name and renamed, so that none is ever half there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Takes `path` for a run, making it if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::FolderNotEmpty`] if it holds something and `overwrite` is false; with `overwrite` the four files of a run
    /// in it are removed and everything else is left alone. [`Error::File`] if it cannot be made.
    pub fn take(path: &Path, overwrite: bool) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::file(path, "create"))?;
        let mut entries = fs::read_dir(path).map_err(Error::file(path, "read"))?;
        if entries.next().is_some() {
            if !overwrite {
                return Err(Error::FolderNotEmpty {
                    folder: path.to_owned(),
                });
            }
            for name in [RESULT, WEIGHTS, EVENTS, CONFIG] {
                let file = path.join(name);
                match fs::remove_file(&file) {
                    Err(cause) if cause.kind() != ErrorKind::NotFound => {
                        return Err(Error::file(file, "replace")(cause));
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Takes a new folder inside `parent`, called after the run and numbered: the first number that is free, also when
    /// several programs ask at the same time.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn fresh(parent: &Path, config: &RunConfig) -> Result<Self, Error> {
        fs::create_dir_all(parent).map_err(Error::file(parent, "create"))?;
        let name = format!(
            "{}-{}-{}",
            config.dataset.name().name(),
            config.model.name(),
            config.optimizer.name()
        );
        let mut number = 1u64;
        loop {
            let path = parent.join(format!("{name}-{number:03}"));
            match fs::create_dir(&path) {
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

    /// Stores the weights.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] or [`Error::File`] if they cannot be written.
    pub fn write_weights<M: Classifier + ModuleSnapshot>(&self, model: &M) -> Result<(), Error> {
        write_weights(model, &self.weights())
    }

    /// Stores the configuration.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<(), Error> {
        self.write(CONFIG, config.to_toml().as_bytes())
    }

    /// Stores the result.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub fn write_result(&self, result: &RunResult) -> Result<(), Error> {
        let file = self.path.join(RESULT);
        let mut text = serde_json::to_string_pretty(result)
            .map_err(|e| Error::file(file, "write")(e.into()))?;
        text.push('\n');
        self.write(RESULT, text.as_bytes())
    }

    /// Starts the event log.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn log(&self, every: u64) -> Result<EventLog, Error> {
        EventLog::create(&self.path.join(EVENTS), every)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        write_whole(&self.path, name, content)
    }
}

/// Writes a file under another name and renames it, so that it is there as a whole or not at all.
pub(crate) fn write_whole(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let file = folder.join(name);
    let draft = folder.join(format!(".{name}.part"));
    let write = || {
        let mut open = fs::File::create(&draft)?;
        open.write_all(content)?;
        open.sync_all()?;
        fs::rename(&draft, &file)
    };
    write().map_err(|cause| {
        // Leaving nothing half-written matters more than a second error.
        let _ = fs::remove_file(&draft);
        Error::file(&file, "write")(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(taken.contains(&parent.path().join("digits-mlp-koala-m-008")));
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let run = RunFolder::take(&path, false).unwrap();
        RunFolder::take(&path, false).unwrap();
        run.write_config(&config()).unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
        let text = RunFolder::take(&path, false).unwrap_err().to_string();
        assert!(text.contains("already holds files"), "{text}");
        RunFolder::take(&path, true).unwrap();
        let left: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, ["notes.txt"]);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = RunFolder::take(file.path(), true).unwrap_err().to_string();
        assert!(text.contains("cannot create"), "{text}");
    }
}
