//! KOALA-A's model as it is to be evaluated: the mean of the iterates, where it counts.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use common::{parameters, values};
use koala_burn::{
    Config, Error, Group, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Metric,
    Observation, ParameterGroup, PositionNoise, UpdatePath,
};

const PATHS: [UpdatePath; 2] = [UpdatePath::Automatic, UpdatePath::Generic];

fn device() -> Device {
    Device::flex().autodiff()
}

#[derive(Module, Debug)]
struct Pair {
    first: Linear,
    second: Linear,
}

fn pair() -> Pair {
    let of = |seed: f32| {
        let numbers = |count: usize| (1..=count).map(|i| (seed * i as f32).sin() / 2.0);
        let mut linear = LinearConfig::new(4, 4).init(&device());
        let weight: Vec<f32> = numbers(16).collect();
        let bias: Vec<f32> = numbers(4).collect();
        linear.weight = Param::from_data(TensorData::new(weight, [4, 4]), &device());
        linear.bias = Some(Param::from_data(TensorData::new(bias, [4]), &device()));
        linear
    };
    Pair {
        first: of(1.3),
        second: of(2.1),
    }
}

/// An update after a predict; with gradients of the first layer alone if `half`.
fn step(optimizer: &mut Koala, model: &mut Pair, half: bool) {
    optimizer.predict(model).unwrap();
    update(optimizer, model, half);
}

fn update(optimizer: &mut Koala, model: &mut Pair, half: bool) {
    let input = Tensor::<2>::from_data([[1., 0., 2., -1.], [0.5, 1., -1., 0.]], &device())
        .cast(FloatDType::from(model.first.weight.val().dtype()));
    let output = model.second.forward(model.first.forward(input));
    let losses = output.square().mean_dim(1).reshape([2]);
    let mut gradients = GradientsParams::from_grads(losses.clone().mean().backward(), model);
    if half {
        gradients.remove::<2>(model.second.weight.id).unwrap();
        let bias = model.second.bias.as_ref().unwrap();
        gradients.remove::<1>(bias.id).unwrap();
    }
    let numbers: Vec<f32> = losses.into_data().iter().collect();
    let observation = Observation::from_losses(&numbers);
    optimizer.update(model, gradients, observation).unwrap();
}

fn close(found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    for (x, y) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((x - y).abs() < 1e-5, "{x}, not {y}");
    }
}

/// x̄ <- x̄ + min(1, 9 / (k + 8)) (x - x̄).
fn follow(means: &mut [Vec<f32>], model: &Pair, k: u32) {
    let weight = (9.0 / (k as f32 + 8.0)).min(1.0);
    for (mean, x) in means
        .iter_mut()
        .flatten()
        .zip(values(model).iter().flatten())
    {
        *mean += weight * (x - *mean);
    }
}

#[test]
fn it_is_the_mean_of_the_iterates() {
    for path in PATHS {
        let mut model = pair();
        let mut optimizer = Koala::new(KoalaAConfig::new(), &model)
            .unwrap()
            .with_path(path);
        let mut means = values(&model);
        let evaluated = optimizer.evaluation(&model).unwrap();
        assert_eq!(values(&evaluated), means);
        assert!(!evaluated.first.weight.is_autodiff());
        for k in 1..=5 {
            step(&mut optimizer, &mut model, false);
            follow(&mut means, &model, k);
            let before = parameters(&model);
            let evaluated = optimizer.evaluation(&model).unwrap();
            close(&values(&evaluated), &means);
            assert_eq!(parameters(&model), before, "the model stays");
            for ((id, _), (expected, _)) in parameters(&evaluated).iter().zip(&before) {
                assert_eq!(id, expected);
            }
            assert!(!evaluated.first.weight.is_autodiff());
            assert!(evaluated.train().first.weight.is_require_grad());
        }
        assert_ne!(
            values(&optimizer.evaluation(&model).unwrap()),
            values(&model)
        );
    }
}

#[test]
fn it_is_the_model_where_no_mean_is_kept() {
    for path in PATHS {
        for config in [
            Config::from(KoalaAConfig::new().with_mean(None)),
            KoalaMConfig::new().into(),
        ] {
            let mut model = pair();
            let mut optimizer = Koala::new(config, &model).unwrap().with_path(path);
            for _ in 0..3 {
                step(&mut optimizer, &mut model, false);
            }
            let evaluated = optimizer.evaluation(&model).unwrap();
            assert_eq!(values(&evaluated), values(&model));
        }
    }
}

#[test]
fn a_tensor_without_gradient_stands_still_and_its_mean_follows() {
    for path in PATHS {
        let mut model = pair();
        let mut optimizer = Koala::new(KoalaAConfig::new(), &model)
            .unwrap()
            .with_path(path);
        let mut means = values(&model);
        for k in 1..=6 {
            let missing = k == 3 || k == 4;
            let before = values(&model);
            optimizer.predict(&mut model).unwrap();
            let predicted = values(&model);
            // Those that had a gradient in the last update move, once there is a velocity.
            let moved = |at: usize| predicted[at] != before[at];
            assert_eq!(moved(0), k > 1 && k != 1, "step {k}");
            assert_eq!(moved(2), k > 1 && k != 4 && k != 5, "step {k}");
            update(&mut optimizer, &mut model, missing);
            assert_eq!(values(&model)[2] == predicted[2], missing, "step {k}");
            follow(&mut means, &model, k);
            close(&values(&optimizer.evaluation(&model).unwrap()), &means);
        }
    }
}

#[test]
fn frozen_tensors_stay_and_those_that_moved_before_have_a_mean() {
    for path in PATHS {
        let mut model = pair();
        let group = |group| ParameterGroup::matching("second.*", group).unwrap();
        let mut optimizer =
            Koala::with_groups(KoalaAConfig::new(), &model, [group(Group::frozen())])
                .unwrap()
                .with_path(path);
        let before = values(&model);
        for _ in 0..3 {
            step(&mut optimizer, &mut model, false);
        }
        let evaluated = values(&optimizer.evaluation(&model).unwrap());
        assert_eq!(values(&model)[2..], before[2..]);
        assert_eq!(evaluated[2..], before[2..]);
        assert_ne!(evaluated[0], before[0]);
        // No pass went over them: the stored means are zeros still.
        let bytes = optimizer.to_bytes(&model).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let zeros = |name: &str| tensors.tensor(name).unwrap().data().iter().all(|&b| b == 0);
        assert!(zeros("second.weight/mean") && zeros("second.weight/second-moment"));
        assert!(!zeros("first.weight/mean"));

        optimizer.set_group(1, Group::default()).unwrap();
        step(&mut optimizer, &mut model, false);
        step(&mut optimizer, &mut model, false);
        optimizer.set_group(1, Group::frozen()).unwrap();
        let distance = |optimizer: &Koala, model: &Pair| {
            let mean = optimizer.evaluation(model).unwrap();
            let difference = mean.second.weight.val() - model.second.weight.val().inner();
            difference.square().sum().into_scalar::<f32>()
        };
        let first = distance(&optimizer, &model);
        let before = values(&model);
        for _ in 0..3 {
            step(&mut optimizer, &mut model, false);
        }
        assert_eq!(values(&model)[2..], before[2..]);
        let last = distance(&optimizer, &model);
        assert!(0.0 < last && last < first, "{last} {first}");
    }
}

#[test]
fn a_model_that_was_given_out_keeps_its_values() {
    for path in PATHS {
        let mut model = pair();
        let mut optimizer = Koala::new(KoalaAConfig::new(), &model)
            .unwrap()
            .with_path(path);
        step(&mut optimizer, &mut model, false);
        let given = optimizer.evaluation(&model).unwrap();
        let before = values(&given);
        step(&mut optimizer, &mut model, true);
        step(&mut optimizer, &mut model, false);
        assert_eq!(values(&given), before);
        assert_ne!(values(&optimizer.evaluation(&model).unwrap()), before);
    }
}

#[test]
fn of_half_types_it_is_of_their_type_and_the_mean_is_not() {
    let wide = pair();
    let narrow = |weight: &Param<Tensor<2>>| {
        weight
            .clone()
            .map(|weight| weight.cast(FloatDType::BF16).detach().require_grad())
    };
    let mut model = Pair {
        first: Linear {
            weight: narrow(&wide.first.weight),
            bias: None,
        },
        second: Linear {
            weight: narrow(&wide.second.weight),
            bias: None,
        },
    };
    let mut optimizer = Koala::new(KoalaAConfig::new(), &model).unwrap();
    assert_eq!(optimizer.memory_bytes(), 32 * 3 * 4);
    for _ in 0..3 {
        optimizer.predict(&mut model).unwrap();
        let mut gradients = GradientsParams::new();
        for weight in [&model.first.weight, &model.second.weight] {
            gradients.register(weight.id, weight.val().inner());
        }
        let losses = Observation::from_mean(1.0);
        optimizer.update(&mut model, gradients, losses).unwrap();
    }
    let evaluated = optimizer.evaluation(&model).unwrap();
    assert_eq!(evaluated.first.weight.val().dtype(), DType::BF16);
    assert_ne!(values(&evaluated), values(&model));
    let bytes = optimizer.to_bytes(&model).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mean = tensors.tensor("first.weight/mean").unwrap();
    assert_eq!(mean.dtype(), safetensors::Dtype::F32);
}

#[test]
fn of_another_model_is_an_error() {
    let optimizer = Koala::new(KoalaAConfig::new(), &pair()).unwrap();
    let other: Linear = LinearConfig::new(4, 4).init(&device());
    let error = optimizer.evaluation(&other).unwrap_err();
    assert!(matches!(error, Error::ModelChanged { .. }), "{error}");
}

#[test]
fn memory_is_what_the_method_stores() {
    let adaptive = KoalaAConfig::new;
    let cases: [(Config, u64); 8] = [
        (KoalaVConfig::new().into(), 0),
        (KoalaMConfig::new().into(), 2),
        (
            KoalaMConfig::new()
                .with_position_noise(PositionNoise::Fixed(1e-3))
                .into(),
            1,
        ),
        (KoalaPpConfig::new().into(), 2),
        (adaptive().into(), 3),
        (adaptive().with_mean(None).into(), 2),
        (adaptive().with_metric(Metric::None).into(), 2),
        (
            adaptive().with_metric(Metric::None).with_mean(None).into(),
            1,
        ),
    ];
    for path in PATHS {
        for (config, vectors) in &cases {
            let mut model = pair();
            let mut optimizer = Koala::new(config.clone(), &model).unwrap().with_path(path);
            let expected = vectors * 40 * 4;
            assert_eq!(optimizer.memory_bytes(), expected, "{config:?}");
            for _ in 0..2 {
                step(&mut optimizer, &mut model, false);
            }
            assert_eq!(optimizer.memory_bytes(), expected, "{config:?}");
        }
    }
}
