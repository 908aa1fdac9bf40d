//! KOALA's state beside the learner's checkpoints: saved and deleted with them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy, KeepLastNCheckpoints};
use burn::train::metric::store::EventStoreClient;
use koala_burn::{Error, Koala};

use crate::model::Network;

/// Keeps the last two checkpoints.
pub struct Checkpoints {
    folder: PathBuf,
    model: Network,
    inner: KeepLastNCheckpoints,
}

impl Checkpoints {
    pub fn new(folder: &Path, model: &Network) -> Self {
        Self {
            folder: folder.to_owned(),
            model: model.clone(),
            inner: KeepLastNCheckpoints::new(2),
        }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("koala-{epoch}.safetensors"))
    }

    /// Goes on from the state saved after `epoch`.
    pub fn resume(&self, epoch: usize) -> Result<(), Error> {
        let mut shared = self.model.shared();
        shared.optimizer = Koala::load(self.path(epoch), &self.model.layers)?;
        Ok(())
    }

    fn save(&self, epoch: usize) -> Result<(), Box<dyn std::error::Error>> {
        fs::create_dir_all(&self.folder)?;
        let shared = self.model.shared();
        Ok(shared.optimizer.save(self.path(epoch), &shared.updated)?)
    }
}

impl CheckpointingStrategy for Checkpoints {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let actions = self.inner.checkpointing(epoch, store);
        for action in &actions {
            let result = match action {
                CheckpointingAction::Save => self.save(epoch),
                CheckpointingAction::Delete(old) => match fs::remove_file(self.path(*old)) {
                    // A run that goes on from a checkpoint deletes what is gone already.
                    Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                    _ => Ok(()),
                },
            };
            if let Err(error) = result {
                eprintln!("checkpoint of epoch {epoch}: {error}");
            }
        }
        actions
    }
}
