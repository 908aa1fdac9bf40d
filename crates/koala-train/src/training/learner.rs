//! Everything about a run that changes while it goes.

use burn::module::Module;
use burn::tensor::TensorData;
use koala_models::Masks;
use koala_models::stored::{StateError, Stored, encode};

use super::{Average, Checkpoint, Marks, Progress, Task, recompute_statistics};
use crate::Error;
use crate::optimizers::{Optimizer, OptimizerError};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const AVERAGE: &str = "average.safetensors";
const CARRY: &str = "carry.safetensors";
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
        inference(
            &self.model,
            &*self.optimizer,
            self.average.as_ref(),
            |average| {
                let drawn = task.epoch(0);
                let batches = (0..task.batches()).map(|index| task.batch(&drawn, 0, index));
                recompute_statistics(average, batches, |model, batch| {
                    let mut carry = task.start(model, 1);
                    task.losses(model, batch, 0, &mut carry, &mut Masks::off());
                    Ok(())
                })
            },
        )
    }

    /// What goes on from here gives the same bits as if it had not been stopped.
    pub(super) fn checkpoint<T: Task<M>>(
        &self,
        task: &T,
        carry: Option<&T::Carry>,
        marks: Marks,
    ) -> Result<Checkpoint, Error> {
        let carry = carry.map(|carry| task.carried(carry)).unwrap_or_default();
        let mut checkpoint = Checkpoint::new(self.progress.step, &self.progress, marks)?;
        checkpoint.put_trained([MODEL, OPTIMIZER], &self.model, &*self.optimizer)?;
        if let Some(average) = &self.average {
            checkpoint.put(AVERAGE, average.state()?);
        }
        if !carry.is_empty() {
            checkpoint.put(CARRY, carry_to_bytes(carry)?);
        }
        Ok(checkpoint)
    }

    /// Goes back to where a checkpoint was made.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if it is damaged or of another network or optimizer.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let progress = checkpoint.progress()?;
        let model = checkpoint.trained([MODEL, OPTIMIZER], &self.model, &mut *self.optimizer)?;
        if let Some(average) = &mut self.average {
            average.restore(checkpoint.file(AVERAGE)?, &model)?;
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

/// A network as it would be used now: without gradients, averaged if there is an average, with `statistics` of the average
/// or of what the optimizer evaluates at if they need them.
pub(crate) fn inference<M: Module>(
    model: &M,
    optimizer: &dyn Optimizer<M>,
    average: Option<&Average<M>>,
    statistics: impl FnOnce(&M) -> Result<M, OptimizerError>,
) -> Result<M, OptimizerError> {
    let Some((average, mean)) = average.and_then(|a| Some((a, a.model()?))) else {
        let model = optimizer.evaluation(model)?;
        return if optimizer.needs_statistics() {
            statistics(&model)
        } else {
            Ok(model)
        };
    };
    if average.needs_statistics() {
        statistics(mean)
    } else {
        Ok(mean.clone())
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

#[cfg(test)]
mod tests {
    use super::super::shape_of;
    use super::super::testing::{Paced, SEED};
    use super::super::{Batches, Losses};
    use super::*;
    use crate::optimizers::OptimizerSpec;
    use crate::run::weights_to_bytes;
    use burn::optim::GradientsParams;
    use burn::tensor::Device;
    use koala_data::digits;
    use koala_models::{Cnn, CnnSpec, Draws};
    use std::time::Duration;

    /// Batch normalisation of an average that no batch went through gets statistics of its own.
    #[test]
    fn weights_that_an_optimizer_averages_get_their_own_statistics() {
        let split = digits().unwrap();
        let task = &Paced::new(&split, Duration::ZERO).images;
        let spec = CnnSpec {
            channels: vec![3, 4],
            hidden: 0,
        };
        for (name, averages) in [("schedule-free-sgd", true), ("sgd", false)] {
            let mut draws = Draws::new(SEED, &Device::flex().autodiff());
            let model = Cnn::new(&spec, shape_of(&split.train), &mut draws);
            let optimizer = OptimizerSpec::named(name).unwrap().start(&model, 10);
            let mut learner = Learner::new(model, optimizer.unwrap(), None);
            let order = task.epoch(0);
            for index in 0..5 {
                let batch = task.batch(&order, 0, index);
                let losses = |model: &Cnn| -> Losses {
                    task.losses(model, batch, 0, &mut (), &mut Masks::off())
                };
                let Losses { tensor, host, .. } = losses(&learner.model);
                let gradients = tensor.mean().backward();
                let gradients = GradientsParams::from_grads(gradients, &learner.model);
                let stepped = learner.optimizer.step(learner.model, gradients, &host, 1.0);
                learner.model = stepped.unwrap().0;
            }
            let evaluated = learner.optimizer.evaluation(&learner.model).unwrap();
            let batches = (0..task.batches()).map(|index| task.batch(&order, 0, index));
            let expected = recompute_statistics(&evaluated, batches, |model, batch| {
                task.losses(model, batch, 0, &mut (), &mut Masks::off());
                Ok::<_, OptimizerError>(())
            });
            let bytes = |model: &Cnn| weights_to_bytes(model).unwrap();
            let found = bytes(&learner.inference(task).unwrap());
            assert_eq!(found == bytes(&expected.unwrap()), averages, "{name}");
            assert_eq!(found == bytes(&evaluated), !averages, "{name}");
        }
    }
}
