//! Who is told what a run does.

use super::{Event, Marks};
use crate::Error;

/// Someone who is told of every event of a run: a log, a progress bar, a measurement.
pub trait Observer {
    /// Called for each event, in order.
    ///
    /// # Errors
    ///
    /// [`Error`] ends the run with it (a log that cannot be written).
    fn observe(&mut self, event: &Event) -> Result<(), Error>;

    /// Where the files that it writes stand, safely on the disk, so that a run that goes on from a checkpoint can cut them
    /// there. Without files, nothing.
    ///
    /// # Errors
    ///
    /// [`Error`] if they cannot be written.
    fn marks(&mut self) -> Result<Marks, Error> {
        Ok(Marks::new())
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&mut self, _event: &Event) -> Result<(), Error> {
        Ok(())
    }
}

/// Tells one, then the other.
pub struct Both<'a>(
    /// The one told first.
    pub &'a mut dyn Observer,
    /// The other.
    pub &'a mut dyn Observer,
);

impl Observer for Both<'_> {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        self.0.observe(event)?;
        self.1.observe(event)
    }

    fn marks(&mut self) -> Result<Marks, Error> {
        let mut marks = self.0.marks()?;
        marks.append(&mut self.1.marks()?);
        Ok(marks)
    }
}
