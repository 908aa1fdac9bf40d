//! The event log of a run.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::training::{Event, Observer};

/// Writes events as JSON, one a line, each at once, so that a crash loses nothing that was told.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    path: PathBuf,
    every: u64,
}

impl EventLog {
    /// A new log at `path`, to which the first of every `every` steps is written.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn create(path: &Path, every: u64) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::file(path, "create"))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            every: every.max(1),
        })
    }
}

impl Observer for EventLog {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        if let Event::Step(step) = event
            && step.step % self.every != 0
        {
            return Ok(());
        }
        let failed = |cause| Error::file(&self.path, "write")(cause);
        let mut line = serde_json::to_vec(event).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        // One call a line: a file has no buffer of its own to flush.
        self.file.write_all(&line).map_err(failed)
    }
}
