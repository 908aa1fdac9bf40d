//! An event file that grows.

use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use koala_system::LogFile;
use prost::Message;

use super::proto::{Event, What};
use super::record;
use crate::Error;

/// What the first event of a file says.
const VERSION: &str = "brain.Event:2";

/// An event file, open at its end. Each event is written at once, so that a crash loses nothing that was told.
#[derive(Debug)]
pub(super) struct EventFile {
    file: LogFile,
    path: PathBuf,
    end: u64,
    step: i64,
    record: Vec<u8>,
}

impl EventFile {
    /// Opens a file, or makes it, and cuts it after the last whole record that ends at or before byte `offset`.
    pub(super) fn open(path: &Path, offset: u64) -> Result<Self, Error> {
        // A new file takes the place of one that is there: that may have another name too.
        let file = match offset {
            0 => LogFile::create(path),
            _ => LogFile::open(path),
        };
        let mut file = file.map_err(Error::file(path, "open"))?;
        let last = record::last(BufReader::new(file.reader()), offset)
            .map_err(Error::file(path, "read"))?;
        file.cut(last.end).map_err(Error::file(path, "cut"))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            end: last.end,
            // A record that is whole but no event of ours is at no step that we know.
            step: Event::decode(last.message.as_slice()).map_or(0, |event| event.step),
            record: Vec::new(),
        })
    }

    /// Whether nothing has been written yet.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// The step of the last event.
    pub(super) fn step(&self) -> i64 {
        self.step
    }

    /// Writes the event that every file begins with.
    pub(super) fn begin(&mut self, wall_time: f64) -> Result<(), Error> {
        self.write(&Event {
            wall_time,
            step: 0,
            what: Some(What::FileVersion(VERSION.to_owned())),
        })
    }

    pub(super) fn write(&mut self, event: &Event) -> Result<(), Error> {
        let message = event.encode_to_vec();
        if message.len() as u64 > record::LONGEST {
            let cause = format!("an event of {} bytes is too long", message.len());
            return Err(Error::file(&self.path, "write")(std::io::Error::new(
                ErrorKind::InvalidInput,
                cause,
            )));
        }
        self.record.clear();
        record::frame(&message, &mut self.record);
        // One call an event: a file has no buffer of its own to flush.
        self.file
            .append(&self.record)
            .map_err(Error::file(&self.path, "write"))?;
        self.end += self.record.len() as u64;
        self.step = event.step;
        Ok(())
    }

    /// Where the last event ends, in bytes, once it is safely on the disk.
    pub(super) fn position(&mut self) -> Result<u64, Error> {
        self.file.sync().map_err(Error::file(&self.path, "write"))?;
        Ok(self.end)
    }
}
