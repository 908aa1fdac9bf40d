//! The network, and what its losses are.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep};
use koala_burn::learner::Measured;

use crate::data::{Batch, KINDS, SIDE};

/// A hidden layer and an output layer.
#[derive(Module, Debug)]
pub struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    pub fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(SIDE * SIDE, 64).init(device),
            output: LinearConfig::new(64, KINDS).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<2>) -> Tensor<2> {
        self.output
            .forward(Relu::new().forward(self.hidden.forward(pictures)))
    }
}

/// One loss a sample.
fn losses(logits: Tensor<2>, kinds: Tensor<1, Int>) -> Tensor<1> {
    let samples = kinds.dims()[0];
    let chosen = log_softmax(logits, 1).gather(1, kinds.unsqueeze_dim(1));
    chosen.neg().reshape([samples])
}

impl Measured for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn measure(&self, batch: Batch) -> (Tensor<1>, ClassificationOutput) {
        let logits = self.forward(batch.pictures);
        let losses = losses(logits.clone(), batch.kinds.clone());
        let output = ClassificationOutput::new(losses.clone().mean(), logits, batch.kinds);
        (losses, output)
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        let logits = self.forward(batch.pictures);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.kinds.clone());
        ClassificationOutput::new(loss, logits, batch.kinds)
    }
}
