//! Everything about a run that changes while it goes.

use burn::module::Module;
use burn::tensor::TensorData;

use super::{Average, Checkpoint, Marks, Progress, Task, recompute_statistics};
use crate::Error;
use crate::models::Masks;
use crate::optimizers::{Optimizer, OptimizerError};
use crate::run::{weights_from_bytes, weights_to_bytes};
use crate::stored::{StateError, Stored, encode};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const AVERAGE: &str = "average.safetensors";
const CARRY: &str = "carry.safetensors";
const PROGRESS: &str = "progress.json";
const CARRIED: &str = "carried state";

/// Everything about a run that changes while it goes: what a checkpoint holds.
pub struct Learner<M: Module> {
    /// The network, on a device with gradients.
    pub model: M,
    /// What moves it.
    pub optimizer: Box<dyn Optimizer<M>>,
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
            model,
            optimizer,
            average,
            progress: Progress::default(),
            carried: None,
        }
    }

    /// The network as it would be used now: without gradients, averaged if there is an average. Statistics of weights that
    /// were never trained as they are come from the batches of the first epoch.
    pub(super) fn inference<T: Task<M>>(&self, task: &T) -> Result<M, OptimizerError> {
        let Some(average) = &self.average else {
            return self.optimizer.evaluation(&self.model);
        };
        match average.model() {
            None => self.optimizer.evaluation(&self.model),
            Some(model) if average.needs_statistics() => {
                let drawn = task.epoch(0);
                let batches = (0..task.batches()).map(|index| task.batch(&drawn, 0, index));
                recompute_statistics(model, batches, |model, batch| {
                    let mut carry = task.start(model, 1);
                    task.losses(model, batch, 0, &mut carry, &mut Masks::off());
                    Ok(())
                })
            }
            Some(model) => Ok(model.clone()),
        }
    }

    /// What goes on from here gives the same bits as if it had not been stopped.
    pub(super) fn checkpoint<T: Task<M>>(
        &self,
        task: &T,
        carry: Option<&T::Carry>,
        marks: Marks,
    ) -> Result<Checkpoint, Error> {
        let carry = carry.map(|carry| task.carried(carry)).unwrap_or_default();
        let mut checkpoint = Checkpoint {
            step: self.progress.step,
            marks,
            ..Checkpoint::default()
        };
        let mut put = |name: &str, content| {
            checkpoint.files.insert(name.to_owned(), content);
        };
        put(MODEL, weights_to_bytes(&self.model)?);
        put(
            OPTIMIZER,
            self.optimizer
                .state(&self.model)
                .map_err(|cause| Error::Optimizer {
                    step: self.progress.step,
                    cause,
                })?,
        );
        if let Some(average) = &self.average {
            put(AVERAGE, average.state()?);
        }
        if !carry.is_empty() {
            put(CARRY, carry_to_bytes(carry)?);
        }
        put(
            PROGRESS,
            serde_json::to_vec_pretty(&self.progress).map_err(|e| StateError::Unstorable {
                what: "progress",
                reason: e.to_string(),
            })?,
        );
        Ok(checkpoint)
    }

    /// Goes back to where a checkpoint was made.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if it is damaged or of another network or optimizer.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let file = |name: &'static str| match checkpoint.files.get(name) {
            Some(bytes) => Ok(bytes.as_slice()),
            None => Err(StateError::Damaged {
                what: "checkpoint",
                reason: format!("it has no {name}"),
            }),
        };
        let progress =
            serde_json::from_slice(file(PROGRESS)?).map_err(|e| StateError::Damaged {
                what: "progress",
                reason: e.to_string(),
            })?;
        let model = weights_from_bytes(self.model.clone(), file(MODEL)?)?;
        self.optimizer
            .restore(file(OPTIMIZER)?, &model)
            .map_err(|cause| Error::Optimizer {
                step: checkpoint.step,
                cause,
            })?;
        if let Some(average) = &mut self.average {
            average.restore(file(AVERAGE)?, &model)?;
        }
        self.carried = match checkpoint.files.get(CARRY) {
            Some(bytes) => Some(carry_from_bytes(bytes)?),
            None => None,
        };
        self.model = model;
        self.progress = progress;
        Ok(())
    }
}

fn carry_to_bytes(carry: Vec<Vec<TensorData>>) -> Result<Vec<u8>, StateError> {
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
