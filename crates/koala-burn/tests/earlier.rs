//! States that an earlier version stored are read, and the same steps come to the same bits.
//!
//! The files in `earlier/` were written, after these very steps, by the last version that did not know KOALA-A.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

use std::path::PathBuf;

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use koala_burn::{
    Config, Koala, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Observation, PositionNoise,
    WeightDecay,
};

fn configs() -> [(&'static str, Config); 4] {
    let decay = WeightDecay::coupled(1e-2);
    [
        (
            "koala-v",
            KoalaVConfig::new().with_weight_decay(decay).into(),
        ),
        (
            "koala-m",
            KoalaMConfig::new().with_weight_decay(decay).into(),
        ),
        (
            "koala-m-fixed",
            KoalaMConfig::new()
                .with_position_noise(PositionNoise::Fixed(1e-3))
                .into(),
        ),
        (
            "koala-pp",
            KoalaPpConfig::new().with_weight_decay(decay).into(),
        ),
    ]
}

fn numbers(count: usize, seed: f32) -> Vec<f32> {
    (1..=count)
        .map(|i| ((i as f32 * seed) % 1.7) - 0.8)
        .collect()
}

fn model() -> Linear {
    let device = Device::flex().autodiff();
    let mut model = LinearConfig::new(4, 3).init(&device);
    model.weight = Param::from_data(TensorData::new(numbers(12, 0.37), [4, 3]), &device);
    model.bias = Some(Param::from_data(
        TensorData::new(numbers(3, 0.53), [3]),
        &device,
    ));
    model
}

/// Steps with gradients that are given, so that nothing but the optimizer has a say in the bits.
fn step(optimizer: &mut Koala, model: &mut Linear, number: usize) {
    let device = Device::flex();
    optimizer.predict(model).unwrap();
    let mut gradients = GradientsParams::new();
    let seed = 0.29 + 0.11 * number as f32;
    let of = |count, seed| numbers(count, seed);
    gradients.register(
        model.weight.id,
        Tensor::<2>::from_data(TensorData::new(of(12, seed), [4, 3]), &device),
    );
    gradients.register(
        model.bias.as_ref().unwrap().id,
        Tensor::<1>::from_data(TensorData::new(of(3, seed + 0.05), [3]), &device),
    );
    let losses = Observation::from_losses(&[1.5f32, 2.25, 0.75 + number as f32 / 8.0]);
    optimizer.update(model, gradients, losses).unwrap();
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/earlier/{name}.safetensors"))
}

#[test]
fn earlier_states_are_read_and_bits_are_theirs() {
    for (name, config) in configs() {
        let mut model = model();
        let mut optimizer = Koala::new(config, &model).unwrap();
        for number in 0..3 {
            step(&mut optimizer, &mut model, number);
        }
        let mut earlier = Koala::load(file(name), &model).unwrap();
        assert_eq!(earlier.filter(), optimizer.filter(), "{name}");
        let bytes = optimizer.to_bytes(&model).unwrap();
        assert_eq!(earlier.to_bytes(&model).unwrap(), bytes, "{name}");
        // And it goes on.
        step(&mut earlier, &mut model.clone(), 3);
    }
}
