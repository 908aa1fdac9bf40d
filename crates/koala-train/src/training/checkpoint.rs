//! What a run needs to go on.

use std::collections::BTreeMap;

use burn::module::Module;
use koala_models::stored::StateError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Average;
use crate::Error;

const PROGRESS: &str = "progress.json";
const AVERAGE: &str = "average.safetensors";

/// What a run needs to go on, as named files, and where its logs stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps that were done.
    pub step: u64,
    /// Content of each file by its name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Bytes of each log that were written by then, by its name.
    pub marks: Marks,
}

/// Bytes that logs have, by their names.
pub type Marks = BTreeMap<String, u64>;

impl Checkpoint {
    /// One that holds how far a run is.
    pub(crate) fn new(step: u64, progress: &impl Serialize, marks: Marks) -> Result<Self, Error> {
        let progress = serde_json::to_vec_pretty(progress).map_err(|e| StateError::Unstorable {
            what: "progress",
            reason: e.to_string(),
        })?;
        Ok(Self {
            step,
            files: BTreeMap::from([(PROGRESS.to_owned(), progress)]),
            marks,
        })
    }

    /// How far the run was.
    pub(crate) fn progress<P: DeserializeOwned>(&self) -> Result<P, StateError> {
        serde_json::from_slice(self.file(PROGRESS)?).map_err(|e| StateError::Damaged {
            what: "progress",
            reason: e.to_string(),
        })
    }

    /// Adds a file.
    pub(crate) fn put(&mut self, name: &str, content: Vec<u8>) {
        self.files.insert(name.to_owned(), content);
    }

    /// The content of a file.
    pub(crate) fn file(&self, name: &str) -> Result<&[u8], StateError> {
        match self.files.get(name) {
            Some(bytes) => Ok(bytes),
            None => Err(StateError::Damaged {
                what: "checkpoint",
                reason: format!("it has no {name}"),
            }),
        }
    }

    /// Adds an average, if there is one.
    pub(super) fn put_average<M: Module>(
        &mut self,
        average: Option<&Average<M>>,
    ) -> Result<(), StateError> {
        if let Some(average) = average {
            self.put(AVERAGE, average.state()?);
        }
        Ok(())
    }

    /// An average of networks of the form of `model` goes on where it was, if there is one.
    pub(crate) fn restore_average<M: Module>(
        &self,
        average: Option<&mut Average<M>>,
        model: &M,
    ) -> Result<(), StateError> {
        match average {
            Some(average) => average.restore(self.file(AVERAGE)?, model),
            None => Ok(()),
        }
    }
}
