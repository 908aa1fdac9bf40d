//! Everything about the training of one network that changes while it goes.

use burn::module::Module;
use burn::tensor::TensorData;
use koala_models::stored::{StateError, Stored, encode};

use super::{Average, Checkpoint, Player, Progress};
use crate::Error;
use crate::optimizers::Optimizer;

pub(super) const PLAYER: [&str; 2] = ["model.safetensors", "optimizer.safetensors"];
pub(super) const CARRY: &str = "carry.safetensors";
const CARRIED: &str = "carried state";

/// Everything about a run that changes while it goes: what a checkpoint holds.
pub struct Learner<M: Module> {
    /// The network and what moves it.
    pub player: Player<M>,
    /// What averages its weights, if something does.
    pub average: Option<Average<M>>,
    /// How far it is.
    pub progress: Progress,
    /// The carry of the batch that comes next, from a checkpoint.
    pub(super) carried: Option<Vec<Vec<TensorData>>>,
}

impl<M: Module> Learner<M> {
    /// A run that begins.
    pub fn new(model: M, optimizer: Box<dyn Optimizer<M>>, average: Option<Average<M>>) -> Self {
        Self {
            player: Player { model, optimizer },
            average,
            progress: Progress::default(),
            carried: None,
        }
    }

    /// Goes back to where a checkpoint was made.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if it is damaged or of another network or optimizer.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let progress = checkpoint.progress()?;
        self.player.restore(PLAYER, checkpoint)?;
        checkpoint.restore_average(self.average.as_mut(), &self.player.model)?;
        let carry = checkpoint.files.get(CARRY);
        self.carried = carry.map(|bytes| carry_from_bytes(bytes)).transpose()?;
        self.progress = progress;
        Ok(())
    }
}

/// The tensors of a carry as a file of a checkpoint.
pub(super) fn carry_to_bytes(carry: Vec<Vec<TensorData>>) -> Result<Vec<u8>, StateError> {
    let mut tensors = Vec::new();
    for (piece, values) in carry.into_iter().enumerate() {
        for (number, value) in values.into_iter().enumerate() {
            tensors.push((format!("{piece}/{number}"), value));
        }
    }
    encode(CARRIED, ("form", "piece/number".to_owned()), &tensors)
}

fn carry_from_bytes(bytes: &[u8]) -> Result<Vec<Vec<TensorData>>, StateError> {
    let stored = Stored::read(CARRIED, bytes)?;
    let mut carry: Vec<Vec<TensorData>> = Vec::new();
    loop {
        let piece = carry.len();
        let mut values = Vec::new();
        loop {
            let name = format!("{piece}/{}", values.len());
            if !stored.has(&name) {
                break;
            }
            values.push(stored.any(&name)?);
        }
        if values.is_empty() {
            return Ok(carry);
        }
        carry.push(values);
    }
}
