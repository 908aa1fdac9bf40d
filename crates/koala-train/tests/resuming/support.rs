//! Networks and optimizers under test.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_models::ImageShape;
use koala_models::{Classifier, Cnn, CnnSpec, Draws, Mlp, MlpSpec};
use koala_train::optimizers::{
    AdamSpec, AdamWSpec, LookaheadSpec, MomoSpec, MuonSpec, NgnMSpec, Optimizer, OptimizerSpec,
    ProdigySpec, ScheduleFreePlusSpec, SgdSpec,
};
use koala_train::run::weights_to_bytes;
use koala_train::training::cross_entropy;

const SHAPE: ImageShape = ImageShape {
    channels: 1,
    height: 8,
    width: 8,
    classes: 4,
};

/// A network with batch normalisation. Every call gives other identities and, with another seed, other weights.
pub fn cnn(seed: u64) -> Cnn {
    let spec = CnnSpec {
        channels: vec![3, 5],
        hidden: 7,
        ..CnnSpec::default()
    };
    Cnn::new(&spec, SHAPE, &mut draws(seed))
}

/// A fully connected network.
pub fn mlp(seed: u64) -> Mlp {
    Mlp::new(&MlpSpec { hidden: vec![6] }, SHAPE, &mut draws(seed))
}

fn draws(seed: u64) -> Draws {
    Draws::new(seed, &Device::flex().autodiff())
}

/// Every optimizer by name with its defaults, and those with other memories.
pub fn specs() -> Vec<OptimizerSpec> {
    let mut specs: Vec<_> = OptimizerSpec::NAMES
        .iter()
        .map(|name| OptimizerSpec::named(name).unwrap())
        .collect();
    specs.push(OptimizerSpec::Sgd(SgdSpec {
        momentum: 0.0,
        weight_decay: 0.1,
        ..SgdSpec::default()
    }));
    specs.push(OptimizerSpec::Sgd(SgdSpec {
        nesterov: true,
        clip_norm: 0.1,
        ..SgdSpec::default()
    }));
    specs.push(OptimizerSpec::Adam(AdamSpec {
        weight_decay: 0.1,
        ..AdamSpec::default()
    }));
    specs.push(OptimizerSpec::AdamW(AdamWSpec {
        beta_1: 0.5,
        ..AdamWSpec::default()
    }));
    specs.push(OptimizerSpec::Momo(MomoSpec {
        estimate_bound: true,
        bias_correction: true,
        weight_decay: 0.1,
        ..MomoSpec::default()
    }));
    specs.push(OptimizerSpec::Prodigy(ProdigySpec {
        beta_1: 0.0,
        bias_correction: true,
        ..ProdigySpec::default()
    }));
    specs.push(OptimizerSpec::NgnM(NgnMSpec {
        weight_decay: 0.1,
        ..NgnMSpec::default()
    }));
    specs.push(OptimizerSpec::Muon(MuonSpec {
        nesterov: false,
        weight_decay: 0.1,
        ..MuonSpec::default()
    }));
    specs.push(OptimizerSpec::ScheduleFreePlus(ScheduleFreePlusSpec {
        interpolation_steps: 8,
        average_after: 2,
        norm_smoothing: 0.5,
        weight_decay: 5.0,
        ..ScheduleFreePlusSpec::default()
    }));
    specs
}

/// Whether an optimizer has a memory.
pub fn remembers(spec: &OptimizerSpec) -> bool {
    match spec {
        OptimizerSpec::Sgd(spec) => spec.momentum > 0.0,
        OptimizerSpec::SpsMax(_) => false,
        _ => true,
    }
}

/// A fresh optimizer for `model`.
pub fn optimizer<M: Module + 'static>(spec: &OptimizerSpec, model: &M) -> Box<dyn Optimizer<M>> {
    spec.start(model, 10).unwrap()
}

/// Trains on made batches, a function of the step's number alone.
pub fn steps<M: Classifier>(
    mut model: M,
    optimizer: &mut dyn Optimizer<M>,
    range: std::ops::Range<usize>,
) -> M {
    for step in range {
        let (images, targets) = batch(step);
        optimizer.prepare(&mut model).unwrap();
        let losses = cross_entropy(model.forward(images), targets);
        let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec().unwrap();
        let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
        let factor = 1.0 / (1.0 + step as f64);
        model = optimizer.step(model, gradients, &host, factor).unwrap().0;
    }
    model
}

fn batch(step: usize) -> (Tensor<4>, Tensor<1, Int>) {
    let device = Device::flex().autodiff();
    let values: Vec<f32> = (0..5 * 64)
        .map(|i| ((i * (step + 3)) as f32 * 0.37).sin())
        .collect();
    let targets: Vec<i32> = (0..5).map(|i| ((i + step) % 4) as i32).collect();
    (
        Tensor::from_data(TensorData::new(values, [5, 1, 8, 8]), &device),
        Tensor::from_data(TensorData::new(targets, [5]), &device),
    )
}

/// Everything that decides how training goes on.
pub fn bits<M: Module>(model: &M, optimizer: &dyn Optimizer<M>) -> (Vec<u8>, Vec<u8>) {
    (
        weights_to_bytes(model).unwrap(),
        optimizer.state(model).unwrap(),
    )
}

/// As [`optimizer`], with lookahead around it.
pub fn ahead<M: Module + 'static>(
    spec: &OptimizerSpec,
    [every, share]: [f64; 2],
    model: &M,
) -> Box<dyn Optimizer<M>> {
    let lookahead = LookaheadSpec {
        lookahead_every: every as u64,
        lookahead_share: share,
    };
    lookahead.around(optimizer(spec, model), model)
}
