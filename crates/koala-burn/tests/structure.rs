//! What modules are made of: tied and frozen parameters, running statistics, shared memory, low-rank adapters.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::module::{Lora, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use common::{parameters, values};
use koala_burn::{
    BlockOutcome, Config, Group, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig,
    Observation, Outcome, ParameterGroup, SkipReason, UpdatePath, WeightDecay,
};

const PATHS: [UpdatePath; 2] = [UpdatePath::Automatic, UpdatePath::Generic];

fn device() -> Device {
    Device::flex().autodiff()
}

fn step<M: Module>(
    optimizer: &mut Koala,
    model: &mut M,
    losses: impl Fn(&M) -> Tensor<1>,
) -> koala_burn::StepReport {
    optimizer.predict(model).unwrap();
    let losses = losses(model);
    let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), model);
    optimizer.update(model, gradients, losses).unwrap()
}

#[derive(Module, Debug)]
struct Normalised {
    convolution: Conv2d,
    norm: BatchNorm,
    output: Linear,
}

impl Normalised {
    fn new() -> Self {
        let device = device();
        // Not from the backend's generator: all tests of the process draw from it.
        let fixed = |count: usize| (0..count).map(|i| (2.3 * i as f32).sin() / 3.0);
        let mut convolution = Conv2dConfig::new([2, 4], [3, 3])
            .with_stride([2, 2])
            .init(&device);
        let values: Vec<f32> = fixed(4 * 2 * 3 * 3).collect();
        convolution.weight = Param::from_data(TensorData::new(values, [4, 2, 3, 3]), &device);
        convolution.bias = Some(Param::from_data([0.0f32; 4], &device));
        let mut output = LinearConfig::new(4, 1).init(&device);
        let values: Vec<f32> = fixed(4).collect();
        output.weight = Param::from_data(TensorData::new(values, [4, 1]), &device);
        output.bias = Some(Param::from_data([0.0f32; 1], &device));
        Self {
            convolution,
            norm: BatchNormConfig::new(4).init(&device),
            output,
        }
    }

    fn losses(&self) -> Tensor<1> {
        let images = Tensor::<1>::from_floats([0.1, -0.2, 0.3, 0.7, -0.6], &device())
            .repeat_dim(0, 6 * 2 * 8 * 8 / 5 + 1)
            .narrow(0, 0, 6 * 2 * 8 * 8)
            .reshape([6, 2, 8, 8]);
        let features = self.norm.forward(self.convolution.forward(images));
        let [samples, channels, ..] = features.dims();
        let pooled = features.reshape([samples, channels, 9]).mean_dim(2);
        let output = self.output.forward(pooled.reshape([samples, channels]));
        (output - 1.0).square().reshape([samples])
    }
}

#[test]
fn running_statistics_are_never_touched() {
    for path in PATHS {
        let mut model = Normalised::new();
        let mut optimizer = Koala::new(KoalaAConfig::new(), &model)
            .unwrap()
            .with_path(path);
        let layout = optimizer.filter().layout();
        let names: Vec<_> = layout.parameters().iter().map(|p| &*p.name).collect();
        assert_eq!(
            names,
            [
                "convolution.weight",
                "convolution.bias",
                "norm.gamma",
                "norm.beta",
                "output.weight",
                "output.bias"
            ]
        );
        assert_eq!(layout.element_count(), 4 * 2 * 9 + 4 + 4 + 4 + 4 + 1);
        for _ in 0..4 {
            optimizer.predict(&mut model).unwrap();
            let losses = model.losses();
            let statistics = |model: &Normalised| {
                let mean: Vec<f32> = model.norm.running_mean.value().into_data().iter().collect();
                let var: Vec<f32> = model.norm.running_var.value().into_data().iter().collect();
                (mean, var)
            };
            let before = statistics(&model);
            let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
            optimizer.update(&mut model, gradients, losses).unwrap();
            assert_eq!(statistics(&model), before);
            optimizer.evaluation(&model).unwrap();
        }
        assert!(model.convolution.weight.is_require_grad());
        assert!(!model.norm.running_mean.value().is_require_grad());
    }
}

#[test]
fn both_paths_train_alike() {
    let decay = WeightDecay::coupled(1e-2);
    let momentum: Config = KoalaMConfig::new().with_weight_decay(decay).into();
    // So that gradients of rounding errors, before the normalisation, are not blown up to signs.
    let adaptive = KoalaAConfig::new().with_epsilon(1e-2);
    let adaptive = adaptive.with_weight_decay(decay).into();
    for config in [momentum, adaptive] {
        train_alike(&config);
    }
}

fn train_alike(config: &Config) {
    let run = |path| {
        let mut model = Normalised::new();
        let optimizer = Koala::new(config.clone(), &model).unwrap();
        let mut optimizer = optimizer.with_path(path);
        let mut report = None;
        for _ in 0..10 {
            report = Some(step(&mut optimizer, &mut model, Normalised::losses));
        }
        (values(&model), report.unwrap().loss)
    };
    let ((raw, loss), (generic, _)) = (run(UpdatePath::Automatic), run(UpdatePath::Generic));
    assert!(loss < 0.9, "{loss}");
    for (x, y) in raw.iter().flatten().zip(generic.iter().flatten()) {
        assert!((x - y).abs() < 1e-4, "{x} {y}");
    }
}

#[derive(Module, Debug)]
struct Tied {
    embedding: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    decoder: Param<Tensor<2>>,
}

impl Tied {
    fn losses(&self) -> Tensor<1> {
        let hidden = self.embedding.val().tanh().sum_dim(0) + self.bias.val().unsqueeze();
        let output = hidden.matmul(self.decoder.val().transpose());
        (output - 0.5).square().reshape([3])
    }
}

#[test]
fn tied_parameters_are_one() {
    for path in PATHS {
        for config in [
            Config::from(KoalaMConfig::new()),
            KoalaPpConfig::new().into(),
            KoalaAConfig::new().into(),
        ] {
            let embedding = common::parameter::<2>(
                &[0.1, -0.2, 0.3, 0.4, 0.5, -0.6],
                &[3, 2],
                &device(),
                burn::tensor::FloatDType::F32,
            );
            let bias = Param::from_tensor(Tensor::<1>::ones([2], &device()));
            let mut model = Tied {
                decoder: embedding.clone(),
                embedding,
                bias,
            };
            // The same parameter once: the sum of both places' gradients is its gradient.
            let reference = |model: &Tied| {
                let shared = model.embedding.clone();
                Tied {
                    decoder: shared.clone(),
                    embedding: shared,
                    bias: model.bias.clone(),
                }
            };
            let mut optimizer = Koala::new(config.clone(), &model).unwrap().with_path(path);
            let layout = optimizer.filter().layout();
            assert_eq!(layout.element_count(), 8);
            assert_eq!(&*layout.parameters()[0].name, "embedding");
            let mut last = f64::INFINITY;
            for _ in 0..8 {
                let before = parameters(&model);
                optimizer.predict(&mut model).unwrap();
                let losses = model.losses();
                let expected = reference(&model);
                let grads = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
                let gradient = grads.get::<2>(model.embedding.id).unwrap();
                let again = expected.losses().mean().backward();
                let again = GradientsParams::from_grads(again, &expected);
                let again = again.get::<2>(model.embedding.id).unwrap();
                assert_eq!(gradient.into_data(), again.into_data());
                last = optimizer.update(&mut model, grads, losses).unwrap().loss;
                let after = parameters(&model);
                assert_eq!(after[0], after[2], "both places hold the same");
                assert_ne!(after[0].1, before[0].1);
                assert_eq!(after[0].0, before[0].0, "ids stay");
                let evaluated = values(&optimizer.evaluation(&model).unwrap());
                assert_eq!(evaluated[0], evaluated[2], "at the mean, too");
            }
            assert!(last < 1.0, "{} {last}", config.name());
        }
    }
}

#[test]
fn frozen_groups_stand_still_and_come_back() {
    for config in [
        Config::from(KoalaMConfig::new()),
        KoalaAConfig::new().into(),
    ] {
        frozen_and_back(&config);
    }
}

fn frozen_and_back(config: &Config) {
    for path in PATHS {
        let mut model = Normalised::new();
        let groups = [
            ParameterGroup::matching("convolution.*", Group::frozen()).unwrap(),
            ParameterGroup::matching("**.{bias,beta,gamma}", Group::without_decay()).unwrap(),
        ];
        let optimizer = Koala::with_groups(config.clone(), &model, groups).unwrap();
        let mut optimizer = optimizer.with_path(path);
        let layout = optimizer.filter().layout();
        let groups: Vec<_> = layout.parameters().iter().map(|p| p.group).collect();
        assert_eq!(groups, [1, 1, 2, 2, 0, 2], "the first match has it");
        let before = model.convolution.weight.val().into_data();
        for _ in 0..3 {
            let report = step(&mut optimizer, &mut model, Normalised::losses);
            assert_eq!(
                report.blocks[0].outcome,
                BlockOutcome::Skipped(SkipReason::Frozen)
            );
        }
        assert_eq!(model.convolution.weight.val().into_data(), before);
        optimizer.set_group(1, Group::default()).unwrap();
        step(&mut optimizer, &mut model, Normalised::losses);
        assert_ne!(model.convolution.weight.val().into_data(), before);
    }
}

#[test]
fn a_clone_of_the_model_keeps_its_values() {
    for config in [
        Config::from(KoalaMConfig::new()),
        KoalaAConfig::new().into(),
    ] {
        clone_and_step(&config);
    }
}

fn clone_and_step(config: &Config) {
    for path in PATHS {
        let mut model = Normalised::new();
        let optimizer = Koala::new(config.clone(), &model).unwrap();
        let mut optimizer = optimizer.with_path(path);
        for _ in 0..3 {
            let kept = model.clone();
            let before = (values(&model), optimizer.clone());
            step(&mut optimizer, &mut model, Normalised::losses);
            assert_eq!(values(&kept).len(), before.0.len());
            assert_ne!(values(&model), before.0);
            for (at, (kept, before)) in values(&kept).iter().zip(&before.0).enumerate() {
                // Running statistics are shared by clones, as Burn has it.
                if at != 4 && at != 5 {
                    assert_eq!(kept, before, "{at}");
                }
            }
            // A clone of the optimizer repeats the step on the clone of the model.
            let (mut optimizer, mut again) = (before.1, kept);
            again.norm = model.norm.clone();
            optimizer.predict(&mut again).unwrap();
        }
    }
}

#[derive(Module, Debug)]
struct WithNothing {
    nothing: Param<Tensor<2>>,
    output: Linear,
}

#[test]
fn parameters_without_elements_are_no_trouble() {
    let decay = WeightDecay::coupled(1e-2);
    for config in [
        Config::from(KoalaMConfig::new().with_weight_decay(decay)),
        KoalaAConfig::new().with_weight_decay(decay).into(),
    ] {
        without_elements(&config);
    }
}

fn without_elements(config: &Config) {
    for path in PATHS {
        let nothing = Tensor::<2>::zeros([0, 3], &device());
        let mut model = WithNothing {
            nothing: Param::from_tensor(nothing.clone()),
            output: LinearConfig::new(2, 1).init(&device()),
        };
        let optimizer = Koala::new(config.clone(), &model).unwrap();
        let mut optimizer = optimizer.with_path(path);
        for _ in 0..2 {
            optimizer.predict(&mut model).unwrap();
            let output = model.output.forward(Tensor::<2>::ones([3, 2], &device()));
            let losses = (output - 1.0).square().reshape([3]);
            let mut gradients =
                GradientsParams::from_grads(losses.clone().mean().backward(), &model);
            gradients.register(model.nothing.id, nothing.clone().inner());
            let report = optimizer.update(&mut model, gradients, losses).unwrap();
            assert_eq!(report.outcome, Outcome::Measured);
            assert_eq!(model.nothing.dims(), [0, 3]);
            let evaluated = optimizer.evaluation(&model).unwrap();
            assert_eq!(evaluated.nothing.dims(), [0, 3]);
        }
        let bytes = optimizer.to_bytes(&model).unwrap();
        Koala::from_bytes(&bytes, &model).unwrap();
    }
}

#[test]
fn updates_work_in_place() {
    use burn::backend::Flex;
    let address = |model: &Normalised| {
        let weight = model.convolution.weight.base().inner();
        let weight = weight.try_into_primitive::<Flex>().unwrap();
        weight.storage::<f32>().as_ptr()
    };
    // The mean's address too, as far as it can be seen from outside.
    let mean = |optimizer: &Koala, model: &Normalised| {
        let evaluated = optimizer.evaluation(model).unwrap();
        address(&evaluated)
    };
    for config in [
        Config::from(KoalaMConfig::new()),
        KoalaAConfig::new().into(),
    ] {
        let mut model = Normalised::new();
        let mut optimizer = Koala::new(config.clone(), &model).unwrap();
        step(&mut optimizer, &mut model, Normalised::losses);
        let before = (address(&model), mean(&optimizer, &model));
        for _ in 0..3 {
            step(&mut optimizer, &mut model, Normalised::losses);
            let after = (address(&model), mean(&optimizer, &model));
            assert_eq!(after, before, "{}", config.name());
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_is_a_missing_measurement() {
    for config in [
        Config::from(KoalaVConfig::new()),
        KoalaAConfig::new().into(),
    ] {
        not_finite(&config);
    }
}

fn not_finite(config: &Config) {
    for path in PATHS {
        let mut model = Normalised::new();
        let optimizer = Koala::new(config.clone(), &model).unwrap();
        let mut optimizer = optimizer.with_path(path);
        let before = values(&model);
        optimizer.predict(&mut model).unwrap();
        let broken = model.losses() * f32::NAN;
        let gradients = GradientsParams::from_grads(broken.clone().mean().backward(), &model);
        let report = optimizer.update(&mut model, gradients, broken).unwrap();
        assert!(matches!(report.outcome, Outcome::Missing { .. }));
        assert_eq!(values(&model)[0], before[0]);
        let report = step(&mut optimizer, &mut model, Normalised::losses);
        assert_eq!(report.outcome, Outcome::Measured);
    }
}

#[test]
fn micro_batches_add_up() {
    let mut model = Normalised::new();
    let mut optimizer = Koala::new(KoalaVConfig::new(), &model).unwrap();
    optimizer.predict(&mut model).unwrap();
    let losses = model.losses();
    let numbers: Vec<f32> = losses.clone().into_data().iter().collect();
    let parts =
        Observation::from_losses(&numbers[..2]).merged(Observation::from_losses(&numbers[2..]));
    let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
    let report = optimizer.update(&mut model, gradients, parts).unwrap();
    let whole = Observation::from_losses(&numbers);
    assert!((report.loss - whole.mean()).abs() < 1e-12);
}

#[test]
fn low_rank_adapters_train_and_their_base_does_not() {
    let linear = LinearConfig::new(6, 6).init(&device());
    for config in [
        Config::from(KoalaMConfig::new()),
        KoalaAConfig::new().into(),
    ] {
        train_adapters(config, linear.clone().apply_lora(Lora::new(2, 4.0)));
    }
}

fn train_adapters(config: Config, mut model: Linear) {
    let mut optimizer = Koala::new(config, &model).unwrap();
    let names: Vec<_> = optimizer.filter().layout().parameters().to_vec();
    assert!(
        names.iter().all(|p| p.name.contains("weight.")),
        "{names:?}"
    );
    let base = model.weight.base().into_data();
    let input = Tensor::<2>::random([4, 6], Distribution::Default, &device());
    let losses = |model: &Linear| {
        let output = model.forward(input.clone());
        (output - 1.0).square().mean_dim(1).reshape([4])
    };
    let first = step(&mut optimizer, &mut model, losses).loss;
    for _ in 0..20 {
        step(&mut optimizer, &mut model, losses);
    }
    let last = step(&mut optimizer, &mut model, losses).loss;
    assert_eq!(model.weight.base().into_data(), base);
    assert!(last < first, "{last} {first}");
    let evaluated = optimizer.evaluation(&model).unwrap();
    assert_eq!(evaluated.weight.base().into_data(), base);
    assert_eq!(evaluated.weight.val().dims(), [6, 6]);
}

#[test]
fn gradient_checkpointing_survives_a_step() {
    let device = device().gradient_checkpointing();
    let mut model: Linear = LinearConfig::new(3, 3).init(&device);
    let strategy = model.weight.val().gradient_checkpointing_strategy();
    let mut optimizer = Koala::new(KoalaMConfig::new(), &model).unwrap();
    let input = Tensor::<2>::ones([2, 3], &device);
    for _ in 0..2 {
        step(&mut optimizer, &mut model, |model| {
            model
                .forward(input.clone())
                .square()
                .mean_dim(1)
                .reshape([2])
        });
    }
    assert_eq!(
        model.weight.val().gradient_checkpointing_strategy(),
        strategy
    );
}
