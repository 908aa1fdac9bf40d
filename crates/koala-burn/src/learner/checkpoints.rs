//! The optimizer's states beside the learner's checkpoints.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::EventStoreClient;

use super::handle::Handle;
use crate::error::{Error, Result};
use crate::optimizer::Koala;

/// Keeps the optimizer's state of every epoch whose checkpoint the learner keeps, and deletes it with that: a strategy around
/// the one that decides, for `with_checkpointing_strategy`. One that cannot be written stops the training and says so.
pub struct Checkpoints<M, S> {
    handle: Handle<M>,
    folder: PathBuf,
    strategy: S,
}

impl<M: Module, S> Checkpoints<M, S> {
    pub(super) fn new(handle: Handle<M>, folder: PathBuf, strategy: S) -> Self {
        Self {
            handle,
            folder,
            strategy,
        }
    }

    /// The file of the optimizer's state after `epoch`.
    pub fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("koala-{epoch}.safetensors"))
    }

    /// Goes on from the state after `epoch`; the learner's own part is its `checkpoint(epoch)`.
    ///
    /// # Errors
    /// As [`Koala::load`].
    pub fn resume(&self, epoch: usize) -> Result<()> {
        let mut shared = self.handle.lock();
        let optimizer = Koala::load(self.path(epoch), shared.estimate())?;
        shared.restore(optimizer);
        Ok(())
    }

    fn save(&self, epoch: usize) -> Result<()> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| failed("create", &self.folder, source))?;
        let shared = self.handle.lock();
        shared.optimizer.save(self.path(epoch), shared.estimate())
    }

    fn delete(&self, epoch: usize) -> Result<()> {
        let path = self.path(epoch);
        match fs::remove_file(&path) {
            // A run that goes on from a checkpoint deletes what is gone already.
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &path, source))
            }
            _ => Ok(()),
        }
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

impl<M: Module, S: CheckpointingStrategy> CheckpointingStrategy for Checkpoints<M, S> {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let actions = self.strategy.checkpointing(epoch, store);
        for action in &actions {
            let result = match action {
                CheckpointingAction::Save => self.save(epoch),
                CheckpointingAction::Delete(old) => self.delete(*old),
            };
            if let Err(error) = result {
                let reason = format!("checkpoint of epoch {epoch}: {error}");
                self.handle.lock().stop(&reason);
            }
        }
        actions
    }
}
