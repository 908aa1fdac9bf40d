//! Running statistics at the mean of the iterates: what the model had, until they are found anew.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use common::values;
use koala_burn::{Koala, KoalaAConfig, UpdatePath, recompute_statistics};

fn device() -> Device {
    Device::flex().autodiff()
}

fn layer() -> Linear {
    let numbers = |count: usize| (1..=count).map(|i| (1.3 * i as f32).sin() / 2.0);
    let weight: Vec<f32> = numbers(16).collect();
    let bias: Vec<f32> = numbers(4).collect();
    Linear {
        weight: Param::from_data(TensorData::new(weight, [4, 4]), &device()),
        bias: Some(Param::from_data(TensorData::new(bias, [4]), &device())),
    }
}

#[derive(Module, Debug)]
struct Normalised {
    layer: Linear,
    norm: BatchNorm,
}

impl Normalised {
    /// The scores of one of the batches.
    fn forward(&self, batch: usize, device: &Device) -> Tensor<2> {
        let numbers: Vec<f32> = (0..24)
            .map(|i| ((i * (batch + 3)) as f32).sin() * 2.0 + batch as f32)
            .collect();
        let input = Tensor::<2>::from_data(TensorData::new(numbers, [6, 4]), device);
        self.norm.forward(self.layer.forward(input))
    }

    fn statistics(&self) -> Vec<f32> {
        let states = [&self.norm.running_mean, &self.norm.running_var];
        let values =
            states.map(|state| state.value_sync().into_data().iter().collect::<Vec<f32>>());
        values.concat()
    }
}

fn trained_with_norm(path: UpdatePath, momentum: f64) -> (Koala, Normalised) {
    let norm = BatchNormConfig::new(4).with_momentum(momentum);
    let mut model = Normalised {
        layer: layer(),
        norm: norm.init(&device()),
    };
    let mut optimizer = Koala::new(KoalaAConfig::new(), &model)
        .unwrap()
        .with_path(path);
    for number in 0..6 {
        optimizer.predict(&mut model).unwrap();
        let scores = model.forward(number % 3, &device());
        let losses = (scores - 1.0).square().mean_dim(1).reshape([6]);
        let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
        optimizer.update(&mut model, gradients, losses).unwrap();
    }
    (optimizer, model)
}

#[test]
fn running_statistics_stay_and_can_be_found_anew_at_the_mean() {
    for path in [UpdatePath::Automatic, UpdatePath::Generic] {
        // The last: so slow that what a batch leaves has few digits beside its start.
        for momentum in [0.1, 0.6, 1.0, 1e-3] {
            let (optimizer, model) = trained_with_norm(path, momentum);
            let before = model.statistics();
            let evaluated = optimizer.evaluation(&model).unwrap();
            assert_eq!(evaluated.statistics(), before);
            assert_ne!(values(&evaluated)[0], values(&model)[0]);

            let pass = |model: &Normalised, &batch: &usize| {
                model.forward(batch, &device());
                Ok::<_, std::convert::Infallible>(())
            };
            let one = recompute_statistics(&evaluated, [1], pass).unwrap();
            assert_eq!(values(&one)[..4], values(&evaluated)[..4], "weights stay");
            assert_eq!(evaluated.statistics(), before);
            assert_eq!(model.statistics(), before);
            // The batch's own, as a layer of momentum 1 has them.
            let own = |batch: usize| {
                let mut reference = evaluated.clone().train();
                reference.norm = BatchNorm {
                    momentum: 1.0,
                    ..BatchNormConfig::new(4).init(&device())
                };
                reference.forward(batch, &device());
                reference.statistics()
            };
            let near = |found: Vec<f32>, expected: Vec<f32>| {
                for (x, y) in found.iter().zip(&expected) {
                    assert!(
                        (x - y).abs() < 1e-3 * y.abs().max(0.1),
                        "{found:?} {expected:?}"
                    );
                }
            };
            near(one.statistics(), own(1));
            let all = recompute_statistics(&evaluated, 0..3, pass).unwrap();
            let mut expected = vec![0.0; 8];
            for batch in 0..3 {
                for (sum, own) in expected.iter_mut().zip(own(batch)) {
                    *sum += own / 3.0;
                }
            }
            near(all.statistics(), expected);
        }
    }
}

#[test]
fn running_statistics_without_batches_or_without_a_momentum_stay() {
    let (optimizer, model) = trained_with_norm(UpdatePath::Automatic, 0.1);
    let evaluated = optimizer.evaluation(&model).unwrap();
    let before = evaluated.statistics();
    let pass = |model: &Normalised, &batch: &usize| {
        model.forward(batch, &device());
        Ok::<_, std::convert::Infallible>(())
    };
    let none = recompute_statistics(&evaluated, [], pass).unwrap();
    assert_eq!(none.statistics(), before);
    let mut still = evaluated.clone();
    still.norm.momentum = 0.0;
    let still = recompute_statistics(&still, 0..2, pass).unwrap();
    assert_eq!(still.statistics(), before);
    let mut passes = 0;
    let failed = recompute_statistics(&evaluated, 0..9, |_, &batch| {
        passes += 1;
        if batch == 3 { Err(batch) } else { Ok(()) }
    });
    assert_eq!((failed.unwrap_err(), passes), (3, 5));
    // Nothing to be found: no pass at all.
    let plain = recompute_statistics(&layer(), 0..9, |_, _| Err("a pass"));
    assert_eq!(values(&plain.unwrap()), values(&layer()));
}
