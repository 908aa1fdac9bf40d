//! A run's folder.

use std::path::{Path, PathBuf};

use koala_system::{MANIFEST, Manifest};

use super::{Detail, Follower, Log, RunResult, Status, failure, read_text, version};
use crate::{Error, RunState};

const CONFIG: &str = "config.toml";
const CONFIG_LIMIT: u64 = 1 << 20;

/// What a run left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    /// Everything that decided it; nothing if `config.toml` is not there.
    pub config: Option<toml::Table>,
    /// What it told while it went; empty if there is no log.
    pub log: Log,
    /// What came of it; nothing while it goes or if it failed.
    pub result: Option<RunResult>,
    /// Why it failed and would again: `failure.json`. What stopped it otherwise, a full disk say, is [`Log::failure`], and it can
    /// go on.
    pub failure: Option<String>,
}

impl Run {
    /// Reads the run in a folder.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`] if there is none; else [`Error`] if a file cannot be read or is damaged.
    pub fn read(folder: &Path, detail: Detail) -> Result<Self, Error> {
        Self::find(folder, detail)?.ok_or_else(|| Error::NoRun {
            folder: folder.to_owned(),
        })
    }

    /// Reads the run in a folder; nothing if none was begun there.
    ///
    /// # Errors
    ///
    /// [`Error`] if a file cannot be read or is damaged.
    pub fn find(folder: &Path, detail: Detail) -> Result<Option<Self>, Error> {
        let config = config(folder)?;
        let log = Log::read(&folder.join(Log::FILE), detail)?;
        if config.is_none() && log.is_none() {
            return Ok(None);
        }
        let run = Self::with(folder, config, log.unwrap_or_default())?;
        run.check_files()?;
        Ok(Some(run))
    }

    /// The same of a folder in which there is one, whether or not its files are what was written.
    pub(super) fn unchecked(folder: &Path, detail: Detail) -> Result<Self, Error> {
        let config = config(folder)?;
        let log = Log::read(&folder.join(Log::FILE), detail)?;
        if config.is_none() && log.is_none() {
            return Err(Error::NoRun {
                folder: folder.to_owned(),
            });
        }
        Self::with(folder, config, log.unwrap_or_default())
    }

    /// Whether the files that the numbers of a finished run come from are what was written, as far as its `manifest.json` tells: other
    /// programs and older versions write none.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`], which names the file, if they are not.
    pub fn check_files(&self) -> Result<(), Error> {
        if self.state() != RunState::Completed {
            return Ok(());
        }
        let damaged = |name: &str, fault: String| Error::Damaged {
            path: self.folder.join(name),
            line: None,
            fault,
            remedy: "bring a copy of it back, or do the run again",
        };
        match Manifest::read(&self.folder) {
            Ok(None) => Ok(()),
            Ok(Some(manifest)) => match manifest.faults(&self.folder).into_iter().next() {
                Some((name, fault)) => Err(damaged(&name, fault)),
                None => Ok(()),
            },
            Err(fault) => Err(damaged(MANIFEST, fault)),
        }
    }

    /// Reads the run in a folder, of whose log a follower has read what it knows.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`] if there is none; else [`Error`] if a file cannot be read or is damaged.
    pub fn followed(folder: &Path, follower: &Follower) -> Result<Self, Error> {
        let config = config(folder)?;
        if config.is_none() && !follower.found() {
            return Err(Error::NoRun {
                folder: folder.to_owned(),
            });
        }
        Self::with(folder, config, follower.log())
    }

    fn with(folder: &Path, config: Option<toml::Table>, log: Log) -> Result<Self, Error> {
        if let Some(start) = &log.start {
            let path = folder.join(Log::FILE);
            version::check_writer(&path, start.program.as_deref(), start.version.as_deref())?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            config,
            result: RunResult::read(folder)?,
            failure: failure::read(folder)?,
            log,
        })
    }

    /// Everything that decided the run in a folder, without its log; nothing if `config.toml` is not there.
    ///
    /// # Errors
    ///
    /// [`Error`] if the file cannot be read or is damaged.
    pub(crate) fn config_in(folder: &Path) -> Result<Option<toml::Table>, Error> {
        config(folder)
    }

    /// Whether a run was begun in a folder.
    pub fn is_begun(folder: &Path) -> bool {
        folder.join(CONFIG).is_file() || folder.join(Log::FILE).is_file()
    }

    /// How it stands.
    pub fn state(&self) -> RunState {
        match (&self.result, &self.failure) {
            (Some(result), _) if result.status == Status::Completed => RunState::Completed,
            (_, Some(message)) => RunState::Failed {
                message: message.clone(),
            },
            _ => RunState::Unfinished,
        }
    }
}

fn config(folder: &Path) -> Result<Option<toml::Table>, Error> {
    let path = folder.join(CONFIG);
    let text = read_text(&path, CONFIG_LIMIT)?;
    text.map(|text| parse(&path, &text)).transpose()
}

fn parse(path: &Path, text: &str) -> Result<toml::Table, Error> {
    text.parse().map_err(|fault: toml::de::Error| {
        let line = fault
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        Error::Damaged {
            path: path.to_owned(),
            line,
            fault: fault.message().to_owned(),
            remedy: "do the run again",
        }
    })
}
