//! The optimizer of a model, and where its step is.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn::train::Interrupter;
use koala_filter::Observation;

use crate::error::{Error, Result};
use crate::gradients;
use crate::optimizer::Koala;

/// Why several devices end a training: each would have an estimate of its own.
pub const ONE_DEVICE: &str =
    "KOALA in the learner trains on one device: choose ExecutionStrategy::single(device)";

/// What all clones of a model share.
pub struct Shared<M> {
    pub optimizer: Koala,
    /// The network as the last update left it.
    updated: M,
    step: Option<Step<M>>,
    /// Where the network is evaluated, and the number of updates before.
    evaluated: Option<(u64, M)>,
    pub finish: Option<Box<dyn Fn(M) -> M + Send>>,
    interrupter: Interrupter,
    /// Where the network was when the step before was made.
    devices: Vec<Device>,
}

/// A step that was begun: the network at its prediction, and what was measured there.
struct Step<M> {
    network: M,
    /// The losses of each micro-batch.
    losses: Vec<Tensor<1>>,
}

impl<M: Module> Shared<M> {
    /// Before the first step.
    pub fn new(network: M, optimizer: Koala, interrupter: Interrupter) -> Self {
        Self {
            optimizer,
            updated: network,
            step: None,
            evaluated: None,
            finish: None,
            interrupter,
            devices: Vec::new(),
        }
    }

    /// The network at its prediction, which is made at a step's first batch, and the number of samples of that batch if
    /// this is a later one.
    pub fn predicted(&mut self, network: &M) -> (M, Option<usize>) {
        let devices = network.devices();
        if !self.devices.is_empty() && self.devices != devices {
            self.stop(ONE_DEVICE);
        }
        self.devices = devices;
        if let Some(step) = &self.step {
            let first = step.losses.first().map(|losses| losses.dims()[0]);
            return (step.network.clone(), first);
        }
        let mut network = network.clone();
        if let Err(error) = self.optimizer.predict(&mut network) {
            self.stop(&error.to_string());
        }
        (network, None)
    }

    /// What was found at the prediction.
    pub fn measured(&mut self, network: M, losses: Tensor<1>) {
        let losses = losses.inner();
        match &mut self.step {
            Some(step) => step.losses.push(losses),
            None => {
                self.step = Some(Step {
                    network,
                    losses: vec![losses],
                });
            }
        }
    }

    /// The network after the measurement update by the sum of the gradients of all micro-batches; nothing if there is none.
    pub fn update(&mut self, gradients: GradientsParams) -> Option<M> {
        let step = self.step.take()?;
        match self.updated(step, gradients) {
            Ok(network) => {
                self.updated = network.clone();
                Some(network)
            }
            Err(error) => {
                self.stop(&error.to_string());
                None
            }
        }
    }

    fn updated(&mut self, step: Step<M>, mut gradients: GradientsParams) -> Result<M> {
        let Step {
            mut network,
            mut losses,
        } = step;
        if losses.len() > 1 {
            let counts: Vec<usize> = losses.iter().map(|losses| losses.dims()[0]).collect();
            let share = counts[0].max(1) as f64 / counts.iter().sum::<usize>().max(1) as f64;
            gradients::scale(&network, &mut gradients, share);
        }
        match (losses.pop(), losses.is_empty()) {
            (Some(losses), true) => self.optimizer.update(&mut network, gradients, losses)?,
            (last, _) => {
                losses.extend(last);
                let observation = merged(losses)?;
                self.optimizer
                    .update(&mut network, gradients, observation)?
            }
        };
        Ok(network)
    }

    /// The network to be used.
    pub fn evaluation(&mut self) -> Result<M> {
        let updates = self.optimizer.filter().step();
        if let Some((made, network)) = &self.evaluated
            && *made == updates
        {
            return Ok(network.clone());
        }
        let network = self.optimizer.evaluation(&self.updated)?;
        let network = match &self.finish {
            Some(finish) => finish(network),
            None => network,
        };
        self.evaluated = Some((updates, network.clone()));
        Ok(network)
    }

    /// The optimizer's state belongs to this.
    pub fn estimate(&self) -> &M {
        &self.updated
    }

    /// Goes on with another state, at this network.
    pub fn restore(&mut self, optimizer: Koala) {
        self.optimizer = optimizer;
        self.step = None;
        self.evaluated = None;
    }

    /// Stops the training.
    pub fn stop(&self, reason: &str) {
        self.interrupter.stop(Some(reason));
    }
}

/// One measurement of all micro-batches.
fn merged(losses: Vec<Tensor<1>>) -> Result<Observation> {
    let data = Tensor::cat(losses, 0)
        .try_into_data()
        .map_err(|error| Error::ReadBack {
            reason: error.to_string(),
        })?;
    let losses: Vec<f64> = data.iter::<f64>().collect();
    Ok(Observation::from_losses(&losses))
}
