//! One of the two networks and what moves it.

use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::NetworkStep;
use crate::Error;
use crate::optimizers::{Optimizer, OptimizerError};
use crate::training::Checkpoint;

/// One of the two networks and what moves it.
pub struct Player<M: Module> {
    /// The network, on a device with gradients.
    pub model: M,
    /// What moves it.
    pub optimizer: Box<dyn Optimizer<M>>,
}

/// The losses that a network is updated by.
pub(super) struct Losses<S> {
    /// One a sample, with gradients, `[samples]`.
    pub tensor: Tensor<1>,
    /// The same on the host.
    pub host: Vec<f32>,
    /// What was seen besides.
    pub seen: S,
}

/// What came of an update.
pub(super) struct Update<S> {
    pub step: NetworkStep,
    pub seen: S,
    /// Seconds inside the optimizer.
    pub seconds: f64,
}

impl<M: Module> Player<M> {
    /// Predict, forward, backward, update.
    pub(super) fn update<S>(
        mut self,
        factor: f64,
        losses: impl FnOnce(&M) -> Losses<S>,
    ) -> Result<(Self, Update<S>), OptimizerError> {
        let clock = Instant::now();
        self.optimizer.prepare(&mut self.model)?;
        let mut seconds = clock.elapsed().as_secs_f64();

        let losses = losses(&self.model);
        let gradients = losses.tensor.mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &self.model);

        let clock = Instant::now();
        let (model, summary) =
            (self.optimizer).step(self.model, gradients, &losses.host, factor)?;
        self.model = model;
        seconds += clock.elapsed().as_secs_f64();
        let step = NetworkStep {
            loss: mean(&losses.host),
            gain: summary.gain,
            effective_learning_rate: summary.effective_learning_rate,
            filter: summary.report,
        };
        let update = Update {
            step,
            seen: losses.seen,
            seconds,
        };
        Ok((self, update))
    }

    pub(super) fn put(&self, names: [&str; 2], checkpoint: &mut Checkpoint) -> Result<(), Error> {
        checkpoint.put_trained(names, &self.model, &*self.optimizer)
    }

    pub(super) fn restore(
        &mut self,
        names: [&str; 2],
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        self.model = checkpoint.trained(names, &self.model, &mut *self.optimizer)?;
        Ok(())
    }
}

/// Mean of values; not a number if there are none.
pub(super) fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}
