//! What is believed of a run's folder: what it came to, and whether its files, its data and its checkpoints are what they were.

use std::io::ErrorKind;

use koala_system::{MANIFEST, Manifest, read_text};

use super::bound::{Bound, Mismatch};
use super::contents::{DATA, FAILURE, RESULT};
use super::folder::{LARGEST, RunFailure};
use super::{DataNote, Found, RunConfig, RunFolder};
use crate::Error;

impl RunFolder {
    /// The result of a run that has done all its steps, as it was written; nothing if it has not.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if it, or a file that its numbers come from, is not what was written; [`Error::File`] if it is there and
    /// cannot be read.
    pub fn completed(&self) -> Result<Option<serde_json::Value>, Error> {
        let result = self.result()?;
        if result.is_some() {
            self.check_files()?;
        }
        Ok(result)
    }

    fn result(&self) -> Result<Option<serde_json::Value>, Error> {
        // A damaged result is written anew.
        let result: Option<serde_json::Value> = self.read_json(RESULT)?;
        Ok(result.filter(|r| r["status"] == "completed"))
    }

    /// Whether the run has come to its end, as its result says; what that rests on is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if that cannot be read.
    pub fn is_over(&self) -> Result<bool, Error> {
        Ok(self.result()?.is_some() || self.failed()?.is_some())
    }

    /// Whether the files of a finished run are what was written, as far as that was noted.
    fn check_files(&self) -> Result<(), Error> {
        let damaged = |name: &str, fault: String| Error::Damaged {
            file: self.path().join(name),
            fault,
        };
        let manifest = match Manifest::read(self.path()) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(()),
            Err(fault) => return Err(damaged(MANIFEST, fault)),
        };
        match manifest.faults(self.path()).into_iter().next() {
            Some((name, fault)) => Err(damaged(&name, fault)),
            None => Ok(()),
        }
    }

    /// Why the run failed, if it did by itself and would again; nothing if it did not.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if that is there and cannot be read.
    pub fn failed(&self) -> Result<Option<String>, Error> {
        // A damaged one is found out anew.
        let failure: Option<RunFailure> = self.read_json(FAILURE)?;
        Ok(failure.map(|failure| failure.message))
    }

    /// What the run learned from, if that is data of one's own and was noted.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it is there and cannot be read.
    pub fn data(&self) -> Result<Option<DataNote>, Error> {
        let file = self.path().join(DATA);
        let text = match read_text(&file, LARGEST) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(Error::file(&file, "read"))?,
        };
        let unreadable = |cause: serde_json::Error| Error::file(&file, "read")(cause.into());
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    /// Whether these are the data that the run was begun with, as far as that was noted.
    ///
    /// # Errors
    ///
    /// [`Error::OtherData`] if they are not; [`Error::File`] if the note cannot be read.
    pub fn check_data(&self, fingerprint: Option<&str>) -> Result<(), Error> {
        let (Some(noted), Some(now)) = (self.data()?, fingerprint) else {
            return Ok(());
        };
        if noted.sha256 == now {
            return Ok(());
        }
        Err(Error::OtherData {
            folder: self.path().to_owned(),
            key: None,
            noted: "it was begun (their SHA-256 is not that in its data.json)",
        })
    }

    /// Whether a checkpoint is of this configuration and these data, as far as it says so.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`], which names the key, or [`Error::OtherData`] if it is not.
    pub(super) fn check_bound(
        &self,
        found: &Found,
        now: &Bound,
        config: &RunConfig,
    ) -> Result<(), Error> {
        let folder = self.path().to_owned();
        match found.bound.as_ref().and_then(|was| was.mismatch(now)) {
            None => Ok(()),
            Some(Mismatch::Key { key, was, is }) => Err(Error::OtherConfig {
                folder,
                key,
                was,
                is,
            }),
            Some(Mismatch::Data) => Err(Error::OtherData {
                folder,
                key: config.dataset.place_key(),
                noted: "its checkpoint was made (their SHA-256 is not that in the checkpoint)",
            }),
        }
    }
}
