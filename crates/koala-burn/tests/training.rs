//! Every method trains a small network, on both paths.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

use burn::module::Module;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use koala_burn::{
    Config, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Phase, UpdatePath,
};

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        device.seed(7);
        Self {
            hidden: LinearConfig::new(2, 16).init(device),
            output: LinearConfig::new(16, 1).init(device),
        }
    }

    fn losses(&self, inputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let outputs = self
            .output
            .forward(Relu::new().forward(self.hidden.forward(inputs)));
        let samples = targets.dims()[0];
        (outputs - targets).square().reshape([samples])
    }
}

fn final_loss(config: impl Into<Config>, path: UpdatePath) -> f64 {
    let device = Device::flex().autodiff();
    let mut model = Network::new(&device);
    let inputs = Tensor::<2>::from_data([[0., 0.], [0., 1.], [1., 0.], [1., 1.]], &device);
    let targets = Tensor::<2>::from_data([[0.], [1.], [1.], [0.]], &device);
    let mut optimizer = Koala::new(config, &model).unwrap().with_path(path);
    let mut loss = f64::NAN;
    for _ in 0..300 {
        optimizer.predict(&mut model).unwrap();
        let losses = model.losses(inputs.clone(), targets.clone());
        let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
        loss = optimizer
            .update(&mut model, gradients, losses)
            .unwrap()
            .loss;
    }
    assert_eq!(optimizer.filter().phase(), Phase::Updated);
    loss
}

#[test]
fn every_method_learns_the_exclusive_or() {
    let configs: [Config; 4] = [
        KoalaVConfig::new().into(),
        KoalaMConfig::new().into(),
        KoalaPpConfig::new().into(),
        KoalaAConfig::new().into(),
    ];
    for config in configs {
        for path in [UpdatePath::Automatic, UpdatePath::Generic] {
            let loss = final_loss(config.clone(), path);
            assert!(loss < 1e-2, "{} {path:?}: {loss}", config.name());
        }
    }
}
