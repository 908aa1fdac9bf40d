//! A run that is looked at again and again.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use koala_compare::Error;
use koala_report::{Detail, Follower, Log, Run};
use koala_train::run::RunFolder;

use super::snapshot::Snapshot;

/// Reports of the filter that are drawn.
const REPORTS: usize = 300;

/// A run that is looked at again and again.
pub struct Source {
    folder: PathBuf,
    follower: Follower,
    snapshot: Snapshot,
}

impl Source {
    /// The run in a folder.
    ///
    /// # Errors
    ///
    /// [`Error`] if there is none or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let mut follower = Follower::new(&folder.join(Log::FILE), Detail::Filter(REPORTS));
        follower.look()?;
        // Once, for those that are over: their files do not change any more.
        Run::followed(folder, &follower)?.check_files()?;
        Ok(Self {
            snapshot: snapshot(folder, &follower)?,
            folder: folder.to_owned(),
            follower,
        })
    }

    /// Looks again. If that fails, what was seen last stays.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub fn look(&mut self) -> Result<(), Error> {
        self.follower.look()?;
        self.snapshot = snapshot(&self.folder, &self.follower)?;
        Ok(())
    }

    /// What was seen last.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

fn snapshot(folder: &Path, follower: &Follower) -> Result<Snapshot, Error> {
    // First whether a program is at it: one that has come to its end meanwhile has left its result.
    let busy = RunFolder::is_busy(folder)?;
    let run = Run::followed(folder, follower)?;
    let latest = follower.latest();
    Ok(Snapshot::of(&run, latest.as_ref(), busy, age(folder)))
}

/// Seconds since the log was written to; none if the file system does not tell.
fn age(folder: &Path) -> f64 {
    let written = std::fs::metadata(folder.join(Log::FILE)).and_then(|log| log.modified());
    written
        .ok()
        .and_then(|written| SystemTime::now().duration_since(written).ok())
        .map_or(0.0, |age| age.as_secs_f64())
}
