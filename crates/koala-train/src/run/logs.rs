//! The logs of a run: begun, or gone on with where a checkpoint found them.

use std::fs;
use std::io::ErrorKind;

use super::contents::EVENTS;
use super::{EventLog, RunConfig, RunFolder, TensorBoard};
use crate::Error;
use crate::training::Marks;

impl RunFolder {
    /// The event log: a new one, or the one that is there, cut where a checkpoint found it.
    pub(super) fn log(&self, every: u64, marks: Option<&Marks>) -> Result<EventLog, Error> {
        let path = self.path().join(EVENTS);
        match marks.and_then(|marks| marks.get(EVENTS)) {
            None => EventLog::create(&path, every),
            Some(length) => EventLog::resume(&path, every, *length),
        }
    }

    /// The event file for TensorBoard, if it is wished: a new one, or the one that is there, cut where a checkpoint found
    /// it.
    pub(super) fn board(
        &self,
        config: &RunConfig,
        marks: Option<&Marks>,
    ) -> Result<Option<TensorBoard>, Error> {
        let path = self.path().join(TensorBoard::FILE_NAME);
        let length = marks.and_then(|marks| marks.get(TensorBoard::FILE_NAME));
        let open = || TensorBoard::append(&path, length.copied().unwrap_or(0), config);
        config.tensorboard.then(open).transpose()
    }

    /// What the logs have lost since a checkpoint was made, a line each. The run does not need it to go on.
    pub(super) fn shortened_logs(
        &self,
        config: &RunConfig,
        marks: &Marks,
    ) -> Result<Vec<String>, Error> {
        let board = config.tensorboard.then_some(TensorBoard::FILE_NAME);
        let mut warnings = Vec::new();
        for name in [Some(EVENTS), board].into_iter().flatten() {
            let path = self.path().join(name);
            let Some(expected) = marks.get(name) else {
                continue;
            };
            let shown = path.display();
            match fs::metadata(&path) {
                Ok(found) if found.len() >= *expected => {}
                Ok(found) => warnings.push(format!(
                    "{shown} has {} bytes instead of {expected}: what is missing is lost, the run goes on",
                    found.len()
                )),
                Err(cause) if cause.kind() == ErrorKind::NotFound => warnings.push(format!(
                    "{shown} is gone: it is begun anew with the steps that follow"
                )),
                Err(cause) => return Err(Error::file(path, "read")(cause)),
            }
        }
        Ok(warnings)
    }
}
