//! The event log of a run.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::training::{Event, Marks, Observer};

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
        Ok(Self::new(file, path, every))
    }

    /// The log at `path`, cut to its first `length` bytes, to go on from there. (Less is left if it has less.)
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be opened or cut.
    pub fn resume(path: &Path, every: u64, length: u64) -> Result<Self, Error> {
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            if file.metadata()?.len() > length {
                file.set_len(length)?;
            }
            Ok(file)
        };
        let file = open().map_err(Error::file(path, "continue"))?;
        Ok(Self::new(file, path, every))
    }

    fn new(file: File, path: &Path, every: u64) -> Self {
        Self {
            file,
            path: path.to_owned(),
            every: every.max(1),
        }
    }

    /// The name by which checkpoints know it.
    pub(super) fn name(path: &Path) -> String {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

impl Observer for EventLog {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) if !step.step.is_multiple_of(self.every) => return Ok(()),
            Event::GanStep(step) if !step.step.is_multiple_of(self.every) => return Ok(()),
            Event::Resume(_) => return Ok(()),
            _ => {}
        }
        let failed = |cause| Error::file(&self.path, "write")(cause);
        let mut line = serde_json::to_vec(event).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        // One call a line: a file has no buffer of its own to flush.
        self.file.write_all(&line).map_err(failed)
    }

    fn marks(&mut self) -> Result<Marks, Error> {
        let length = || {
            self.file.sync_data()?;
            Ok(self.file.metadata()?.len())
        };
        let length = length().map_err(Error::file(&self.path, "write"))?;
        Ok(Marks::from([(Self::name(&self.path), length)]))
    }
}
