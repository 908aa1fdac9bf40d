//! The network, and how KOALA gets its turn in the learner's steps.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, Interrupter, TrainOutput, TrainStep};
use koala_burn::{Error, Koala, KoalaMConfig};

use crate::data::{Batch, KINDS, SIDE};

/// What KOALA trains.
#[derive(Module, Debug)]
pub struct Layers {
    hidden: Linear,
    output: Linear,
}

/// The layers with their optimizer, shared by all copies that the learner makes.
#[derive(Module, Debug)]
pub struct Network {
    pub layers: Layers,
    #[module(skip)]
    shared: Arc<Mutex<Shared>>,
}

pub struct Shared {
    pub optimizer: Koala,
    /// The layers as the last update left them.
    pub updated: Layers,
    /// The layers at their prediction and the per-sample losses there, between `step` and `optimize`.
    predicted: Option<(Layers, Tensor<1>)>,
    interrupter: Interrupter,
}

/// The learner prints its model, and this with it.
impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.optimizer.fmt(formatter)
    }
}

impl Shared {
    /// Stops the training when the optimizer reports an error.
    fn stop(&self, error: &Error) {
        self.interrupter.stop(Some(&error.to_string()));
    }
}

impl Layers {
    fn forward(&self, pictures: Tensor<2>) -> Tensor<2> {
        self.output
            .forward(Relu::new().forward(self.hidden.forward(pictures)))
    }
}

/// One loss a sample.
fn losses(logits: Tensor<2>, kinds: Tensor<1, Int>) -> Tensor<1> {
    let samples = kinds.dims()[0];
    let chosen = burn::tensor::activation::log_softmax(logits, 1).gather(1, kinds.unsqueeze_dim(1));
    chosen.neg().reshape([samples])
}

impl Network {
    pub fn new(
        device: &Device,
        config: KoalaMConfig,
        interrupter: Interrupter,
    ) -> Result<Self, Error> {
        let layers = Layers {
            hidden: LinearConfig::new(SIDE * SIDE, 64).init(device),
            output: LinearConfig::new(64, KINDS).init(device),
        };
        let shared = Shared {
            optimizer: Koala::new(config, &layers)?,
            updated: layers.clone(),
            predicted: None,
            interrupter,
        };
        Ok(Self {
            layers,
            shared: Arc::new(Mutex::new(shared)),
        })
    }

    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the filter has come to.
    pub fn state(&self) -> String {
        let shared = self.shared();
        let state = shared.optimizer.filter().state();
        format!("{} updates, R = {:.3}", state.step, state.measurement_noise)
    }
}

impl TrainStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let mut shared = self.shared();
        let mut layers = self.layers.clone();
        if let Err(error) = shared.optimizer.predict(&mut layers) {
            shared.stop(&error);
        }
        let logits = layers.forward(batch.pictures);
        let losses = losses(logits.clone(), batch.kinds.clone());
        let loss = losses.clone().mean();
        let output = TrainOutput::new(
            &layers,
            loss.backward(),
            ClassificationOutput::new(loss, logits, batch.kinds),
        );
        shared.predicted = Some((layers, losses));
        output
    }

    fn optimize(
        mut self,
        _optimizer: &mut ModuleOptimizer,
        _learning_rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let mut shared = self.shared();
        if let Some((mut layers, losses)) = shared.predicted.take() {
            match shared.optimizer.update(&mut layers, gradients, losses) {
                Ok(_report) => {
                    shared.updated = layers.clone();
                    drop(shared);
                    self.layers = layers;
                    return self;
                }
                Err(error) => shared.stop(&error),
            }
        }
        drop(shared);
        self
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        let logits = self.layers.forward(batch.pictures);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.kinds.clone());
        ClassificationOutput::new(loss, logits, batch.kinds)
    }
}
