//! A network and what moves it.

use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use koala_models::stored::{weights_from_bytes, weights_to_bytes};

use super::{Average, Checkpoint};
use crate::Error;
use crate::optimizers::{Optimizer, OptimizerError, StepSummary};

/// A network and what moves it: the only one of a run, or one of two adversaries.
pub struct Player<M: Module> {
    /// The network, on a device with gradients.
    pub model: M,
    /// What moves it.
    pub optimizer: Box<dyn Optimizer<M>>,
}

/// What a network is updated by.
pub(crate) struct Lesson<S> {
    /// Of the mean loss.
    pub gradients: GradientsParams,
    /// The loss of each sample, on the host.
    pub losses: Vec<f32>,
    /// What was seen besides.
    pub seen: S,
}

impl<M: Module> Player<M> {
    /// Predict, forward and backward in `learn`, update. `clock` counts the seconds inside the optimizer.
    pub(crate) fn update<S>(
        mut self,
        factor: f64,
        clock: &mut f64,
        learn: impl FnOnce(&M) -> Lesson<S>,
    ) -> Result<(Self, StepSummary, S), OptimizerError> {
        let begun = Instant::now();
        self.optimizer.prepare(&mut self.model)?;
        *clock += begun.elapsed().as_secs_f64();

        let Lesson {
            gradients,
            losses,
            seen,
        } = learn(&self.model);

        let begun = Instant::now();
        let (model, summary) = (self.optimizer).step(self.model, gradients, &losses, factor)?;
        self.model = model;
        *clock += begun.elapsed().as_secs_f64();
        Ok((self, summary, seen))
    }

    /// The network as it would be used now: without gradients, averaged if there is an average, with `statistics` of the
    /// average or of what the optimizer evaluates at if they need them.
    pub(crate) fn inference(
        &self,
        average: Option<&Average<M>>,
        statistics: impl FnOnce(&M) -> Result<M, OptimizerError>,
    ) -> Result<M, OptimizerError> {
        match average.and_then(|average| Some((average, average.model()?))) {
            Some((average, mean)) if average.needs_statistics() => statistics(mean),
            Some((_, mean)) => Ok(mean.clone()),
            None => {
                let model = self.optimizer.evaluation(&self.model)?;
                if self.optimizer.needs_statistics() {
                    statistics(&model)
                } else {
                    Ok(model)
                }
            }
        }
    }

    /// Adds network and optimizer to a checkpoint under these names.
    pub(crate) fn put(
        &self,
        [weights, state]: [&str; 2],
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Error> {
        checkpoint.put(weights, weights_to_bytes(&self.model)?);
        let bytes = self.optimizer.state(&self.model);
        checkpoint.put(state, bytes.map_err(Error::optimizer(checkpoint.step))?);
        Ok(())
    }

    /// Goes back to what [`put`](Player::put) added; the network there is one of the form of this one.
    pub(crate) fn restore(
        &mut self,
        [weights, state]: [&str; 2],
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        let model = weights_from_bytes(self.model.clone(), checkpoint.file(weights)?)?;
        (self.optimizer)
            .restore(checkpoint.file(state)?, &model)
            .map_err(Error::optimizer(checkpoint.step))?;
        self.model = model;
        Ok(())
    }
}
