//! Who is told what a run does.

use super::Event;
use crate::Error;

/// Someone who is told of every event of a run: a log, a progress bar, a measurement.
pub trait Observer {
    /// Called for each event, in order.
    ///
    /// # Errors
    ///
    /// [`Error`] ends the run with it (a log that cannot be written).
    fn observe(&mut self, event: &Event) -> Result<(), Error>;
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
}
