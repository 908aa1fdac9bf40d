//! The event log of a run.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use koala_system::LogFile;

use super::logged::is_logged;
use crate::Error;
use crate::training::{Event, Marks, Observer};

/// Writes events as JSON, one a line, each at once, so that a crash loses nothing that was told.
#[derive(Debug)]
pub struct EventLog {
    file: LogFile,
    path: PathBuf,
    every: u64,
}

impl EventLog {
    /// A new log at `path`, to which the first of every `every` steps is written; 0 as `log-every`'s.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be made.
    pub fn create(path: &Path, every: u64) -> Result<Self, Error> {
        let file = LogFile::create(path).map_err(Error::file(path, "create"))?;
        Ok(Self::new(file, path, every))
    }

    /// The log at `path`, cut after the last whole line in its first `length` bytes, to go on from there. One that is not
    /// there is begun anew.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be opened, read or cut.
    pub fn resume(path: &Path, every: u64, length: u64) -> Result<Self, Error> {
        let open = || {
            let mut file = LogFile::open(path)?;
            let end = end_of_lines(file.reader(), length)?;
            file.cut(end)?;
            Ok(file)
        };
        let file = open().map_err(Error::file(path, "continue"))?;
        Ok(Self::new(file, path, every))
    }

    fn new(file: LogFile, path: &Path, every: u64) -> Self {
        Self {
            file,
            path: path.to_owned(),
            every,
        }
    }

    /// The name by which checkpoints know it.
    pub(super) fn name(path: &Path) -> String {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// Where the last whole line ends in the first `limit` bytes.
fn end_of_lines(file: &mut File, limit: u64) -> std::io::Result<u64> {
    const CHUNK: u64 = 1 << 16;
    let mut end = file.metadata()?.len().min(limit);
    let mut chunk = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        (&mut *file).take(end - start).read_to_end(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

impl Observer for EventLog {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) if !is_logged(self.every, step.step) => return Ok(()),
            Event::GanStep(step) if !is_logged(self.every, step.step) => return Ok(()),
            Event::Resume(_) => return Ok(()),
            _ => {}
        }
        let failed = |cause| Error::file(&self.path, "write")(cause);
        let mut line = serde_json::to_vec(event).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        // One call a line: a file has no buffer of its own to flush.
        self.file.append(&line).map_err(failed)
    }

    fn marks(&mut self) -> Result<Marks, Error> {
        let length = self.file.sync().map_err(Error::file(&self.path, "write"))?;
        Ok(Marks::from([(Self::name(&self.path), length)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn whole_lines_are_left(
            lengths in proptest::collection::vec(0usize..90_000, 0..5),
            cut in 0.0f64..1.1,
            mark in 0.0f64..1.1,
        ) {
            let lines: Vec<String> = lengths.iter().map(|length| "x".repeat(*length) + "\n").collect();
            let text = lines.concat();
            let part = |share: f64| ((text.len() as f64 * share) as usize).min(text.len());
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("events.jsonl");
            std::fs::write(&path, &text[..part(cut)]).unwrap();
            let mut log = EventLog::resume(&path, 1, part(mark) as u64).unwrap();
            let left = &text[..part(cut).min(part(mark))];
            let expected = left.rfind('\n').map_or(0, |at| at + 1);
            prop_assert!(std::fs::read_to_string(&path).unwrap() == text[..expected]);
            let marks = log.marks().unwrap();
            prop_assert_eq!(marks["events.jsonl"], expected as u64);
        }
    }
}
