//! States of optimizers, weights, recordings.

use std::fs;

use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use koala_burn::Koala;
use koala_filter::dense::{self, DenseState};
use koala_filter::replay::replay;
use koala_filter::{
    Config, Filter, FilterState, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig,
    Observation,
};
use koala_models::stored::{weights_from_bytes, weights_to_bytes};

use super::{Target, nothing, told};

fn configurations() -> [Config; 4] {
    [
        KoalaVConfig::new().into(),
        KoalaMConfig::new().into(),
        KoalaPpConfig::new().into(),
        KoalaAConfig::new().into(),
    ]
}

/// States over slices after two steps, and in the middle of a third.
fn dense_states() -> Vec<DenseState<f32>> {
    let trained = |config: Config, begun: bool| {
        let mut optimizer = dense::Koala::<f32>::new(config, &[2, 1]).unwrap();
        let (mut first, mut second) = (vec![1.0, -2.0], vec![0.5]);
        for _ in 0..2 {
            optimizer.predict(&mut [&mut first, &mut second]).unwrap();
            let observation = Observation::from_mean(1.5);
            let gradients: [&[f32]; 2] = [&[0.3, -0.2], &[1.0]];
            optimizer
                .update(&mut [&mut first, &mut second], &gradients, &observation)
                .unwrap();
        }
        if begun {
            optimizer.predict(&mut [&mut first, &mut second]).unwrap();
        }
        optimizer.state()
    };
    let both = |config: Config| [trained(config.clone(), false), trained(config, true)];
    configurations().into_iter().flat_map(both).collect()
}

/// The filter's state as JSON: one that is taken has one form, and the filter it makes says the same of itself.
pub const FILTER: Target = Target {
    name: "filter-state",
    prepare: nothing,
    read: |_, input| {
        let Ok(state) = serde_json::from_slice::<FilterState>(input) else {
            return;
        };
        if let Some(filter) = told(Filter::from_state(state.clone())) {
            assert_eq!(filter.state(), &state);
            let text = serde_json::to_vec(&state).unwrap();
            assert_eq!(serde_json::from_slice::<FilterState>(&text).unwrap(), state);
        }
    },
    seeds: || {
        let states = dense_states().into_iter();
        states
            .map(|state| serde_json::to_vec(&state.filter).unwrap())
            .collect()
    },
};

/// The state over slices as JSON: one that is taken makes an optimizer that can go on.
pub const DENSE: Target = Target {
    name: "dense-state",
    prepare: nothing,
    read: |_, input| {
        let Ok(state) = serde_json::from_slice::<DenseState<f32>>(input) else {
            return;
        };
        let Some(mut optimizer) = told(dense::Koala::from_state(state.clone())) else {
            return;
        };
        assert_eq!(optimizer.state(), state);
        let layout = optimizer.filter().layout();
        let lengths: Vec<usize> = layout.parameters().iter().map(|one| one.len()).collect();
        let mut parameters: Vec<Vec<f32>> =
            lengths.iter().map(|length| vec![0.5; *length]).collect();
        let mut slices: Vec<&mut [f32]> = parameters.iter_mut().map(Vec::as_mut_slice).collect();
        told(optimizer.predict(&mut slices));
        let gradients: Vec<Vec<f32>> = lengths.iter().map(|length| vec![0.1; *length]).collect();
        let gradients: Vec<&[f32]> = gradients.iter().map(Vec::as_slice).collect();
        told(optimizer.update(&mut slices, &gradients, &Observation::from_mean(1.0)));
    },
    seeds: || {
        let states = dense_states().into_iter();
        states
            .map(|state| serde_json::to_vec(&state).unwrap())
            .collect()
    },
};

fn model(device: &Device) -> Linear {
    let model = LinearConfig::new(2, 2).init(device);
    // The same every time: whatever the initialisation drew is not what is tried.
    weights_from_bytes(model, include_bytes!("../../seeds/linear.safetensors")).unwrap()
}

thread_local! {
    /// One to be trained, made once: Burn keeps some kilobytes of each until it is differentiated, which adds up.
    static TRAINABLE: Linear = model(&Device::flex().autodiff());
}

/// An optimizer's state for a module of Burn, as safetensors.
pub const BURN: Target = Target {
    name: "burn-state",
    prepare: nothing,
    read: |_, input| {
        let model = TRAINABLE.with(Linear::clone);
        if let Some(found) = told(Koala::from_bytes(input, &model)) {
            let written = found.to_bytes(&model).unwrap();
            let again = Koala::from_bytes(&written, &model).unwrap();
            assert!(again.to_bytes(&model).unwrap() == written);
        }
    },
    seeds: || {
        let trained = |config: Config| {
            let mut model = TRAINABLE.with(Linear::clone);
            let mut optimizer = Koala::new(config, &model).unwrap();
            optimizer.predict(&mut model).unwrap();
            let input = Tensor::<2>::ones([3, 2], &Device::flex().autodiff());
            let losses = model.forward(input).square().mean_dim(1).reshape([3]);
            let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
            optimizer.update(&mut model, gradients, losses).unwrap();
            optimizer.to_bytes(&model).unwrap()
        };
        configurations().into_iter().map(trained).collect()
    },
};

/// Weights of a module, as safetensors.
pub const WEIGHTS: Target = Target {
    name: "weights",
    prepare: nothing,
    read: |_, input| {
        let model = model(&Device::flex());
        if let Some(found) = told(weights_from_bytes(model.clone(), input)) {
            let written = weights_to_bytes(&found).unwrap();
            let again = weights_from_bytes(model, &written).unwrap();
            assert!(weights_to_bytes(&again).unwrap() == written);
        }
    },
    seeds: || vec![weights_to_bytes(&model(&Device::flex())).unwrap()],
};

/// A recorded trajectory. Those of the project are longer than an input may be: this one is the beginning of one, which is damaged.
pub const RECORDING: Target = Target {
    name: "recording",
    prepare: nothing,
    read: |folder, input| {
        let file = folder.join("a.safetensors");
        fs::write(&file, input).unwrap();
        told(replay(&file));
    },
    seeds: || vec![super::fixture("fuzz/seeds/recording.safetensors")],
};
