//! Numbers that go wrong: whatever losses and gradients come, in whatever order, an optimizer stays one that can go on. Burn's own
//! (SGD, Adam, AdamW) do with them what they do in every other program, and promise nothing here.

#![allow(clippy::unwrap_used, clippy::panic)]

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use koala_models::stored::weights_to_bytes;
use koala_train::optimizers::{Optimizer, OptimizerSpec};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use safetensors::SafeTensors;

/// A matrix between two others, which is what Muon takes for hidden, and a vector.
#[derive(Module, Debug)]
struct Four {
    first: Param<Tensor<2>>,
    matrix: Param<Tensor<2>>,
    last: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

impl Four {
    fn new() -> Self {
        fn parameter<const D: usize>(values: &[f32], shape: [usize; D]) -> Param<Tensor<D>> {
            let data = TensorData::new(values.to_vec(), shape);
            let tensor = Tensor::from_data(data, &Device::flex().autodiff());
            Param::from_tensor(tensor.require_grad())
        }
        Self {
            first: parameter(&[0.5], [1, 1]),
            matrix: parameter(&[-0.25, 1.0, 0.75, -0.5], [2, 2]),
            last: parameter(&[0.1], [1, 1]),
            vector: parameter(&[0.2, -0.4], [2]),
        }
    }

    fn values(&self) -> Vec<f32> {
        let values = |data: TensorData| data.try_to_vec::<f32>().unwrap();
        let matrices = [&self.first, &self.matrix, &self.last];
        let all = matrices
            .into_iter()
            .flat_map(|m| values(m.val().into_data()));
        all.chain(values(self.vector.val().into_data())).collect()
    }

    /// Gradients that are these numbers, the vector's only if it is to have one.
    fn gradients(&self, numbers: &[f32], of_vector: bool) -> GradientsParams {
        let tensor = |numbers: &[f32]| {
            let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
            Tensor::<1>::from_data(data, &Device::flex())
        };
        let mut all = GradientsParams::new();
        all.register(self.first.id, tensor(&numbers[..1]).reshape([1, 1]));
        all.register(self.matrix.id, tensor(&numbers[1..5]).reshape([2, 2]));
        all.register(self.last.id, tensor(&numbers[5..6]).reshape([1, 1]));
        if of_vector {
            all.register(self.vector.id, tensor(&numbers[6..]));
        }
        all
    }
}

/// What a step meets.
#[derive(Debug, Clone)]
struct Met {
    losses: Vec<f32>,
    gradient: Vec<f32>,
    of_vector: bool,
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -2.0f32..2.0,
        1 => prop::sample::select(vec![
            0.0, -0.0, 1e-40, -1e-45, f32::MIN_POSITIVE, 1e-20, 1e10, -1e15, 1e19, 1e25, -1e30, f32::MAX, f32::MIN, f32::NAN,
            f32::INFINITY, f32::NEG_INFINITY,
        ]),
    ]
}

/// Mostly of one kind, as in training that goes wrong.
fn met() -> impl Strategy<Value = Met> {
    let all = |value: f32| Just(vec![value; 8]);
    let gradient = prop_oneof![
        4 => prop::collection::vec(-2.0f32..2.0, 8),
        2 => prop::collection::vec(number(), 8),
        1 => all(0.0),
        1 => all(1e-40),
        1 => all(1e30),
        1 => all(f32::NAN),
    ];
    let losses = prop_oneof![
        4 => prop::collection::vec(0.0f32..3.0, 1..5),
        2 => prop::collection::vec(number(), 1..5),
        1 => prop::collection::vec(-3.0f32..0.0, 1..5),
        1 => Just(vec![1e30; 3]),
        1 => Just(vec![0.0; 4]),
        1 => Just(vec![f32::NAN]),
    ];
    let met = (losses, gradient, prop::bool::weighted(0.9));
    met.prop_map(|(losses, gradient, of_vector)| Met {
        losses,
        gradient,
        of_vector,
    })
}

fn step(optimizer: &mut dyn Optimizer<Four>, mut model: Four, met: &Met, told: &str) -> Four {
    optimizer
        .prepare(&mut model)
        .unwrap_or_else(|error| panic!("{told}: {error}"));
    let gradients = model.gradients(&met.gradient, met.of_vector);
    let stepped = optimizer.step(model, gradients, &met.losses, 1.0);
    stepped.unwrap_or_else(|error| panic!("{told}: {error}")).0
}

/// All numbers of a stored state, those in its tensors.
fn stored(bytes: &[u8]) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let mut all = Vec::new();
    for (_, tensor) in tensors.tensors() {
        if tensor.dtype() == safetensors::Dtype::F32 {
            let (numbers, _) = tensor.data().as_chunks();
            all.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        }
    }
    all
}

fn is_of_burn(name: &str) -> bool {
    ["sgd", "adam", "adamw"].contains(&name)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, rng_seed: RngSeed::Fixed(0), ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_an_optimizer_stays_finite_is_stored_and_goes_on(steps in prop::collection::vec(met(), 1..40)) {
        for name in OptimizerSpec::NAMES.into_iter().filter(|name| !is_of_burn(name)) {
            let spec = OptimizerSpec::named(name).unwrap();
            let mut model = Four::new();
            let mut optimizer = spec.start(&model, u32::MAX).unwrap();
            for (at, met) in steps.iter().enumerate() {
                let told = format!("{name}, step {at}, {met:?}");
                model = step(optimizer.as_mut(), model, met, &told);
                let values = model.values();
                prop_assert!(values.iter().all(|value| value.is_finite()), "{told}: {values:?}");
                let evaluated = optimizer.evaluation(&model).unwrap().values();
                prop_assert!(evaluated.iter().all(|value| value.is_finite()), "{told}: evaluated at {evaluated:?}");
            }
            // What it remembers is finite too, can be stored, and is taken back.
            let bytes = optimizer.state(&model).unwrap();
            let remembered = stored(&bytes);
            prop_assert!(remembered.iter().all(|value| value.is_finite()), "{name}: {remembered:?}");
            let mut restored = spec.start(&model, u32::MAX).unwrap();
            restored.restore(&bytes, &model).unwrap_or_else(|error| panic!("{name}: {error}"));
            prop_assert!(restored.state(&model).unwrap() == bytes);
            // Both go on, the same way.
            let good = Met { losses: vec![1.0, 1.5, 0.5], gradient: vec![0.3, -0.2, 0.1, 0.4, 0.2, -0.1, 0.5, 0.1], of_vector: true };
            let mut other = model.clone();
            for _ in 0..3 {
                model = step(optimizer.as_mut(), model, &good, name);
                other = step(restored.as_mut(), other, &good, name);
            }
            prop_assert!(weights_to_bytes(&model).unwrap() == weights_to_bytes(&other).unwrap(), "{name}");
            prop_assert!(model.values().iter().all(|value| value.is_finite()), "{name}");
        }
    }
}

/// Gradients as large as they can be, one after the other, after none: averages of what is moved must not leave the numbers either.
#[test]
fn the_largest_gradients_move_nothing_out_of_the_numbers() {
    let met = |first: f32| {
        let mut gradient = vec![0.0; 8];
        gradient[0] = first;
        Met {
            losses: vec![0.0],
            gradient,
            of_vector: false,
        }
    };
    for name in OptimizerSpec::NAMES
        .into_iter()
        .filter(|name| !is_of_burn(name))
    {
        let mut model = Four::new();
        let mut optimizer = OptimizerSpec::named(name)
            .unwrap()
            .start(&model, u32::MAX)
            .unwrap();
        for first in [0.0, 0.0, f32::MIN, f32::MIN, f32::MAX, f32::MAX] {
            model = step(optimizer.as_mut(), model, &met(first), name);
            let evaluated = optimizer.evaluation(&model).unwrap().values();
            for values in [model.values(), evaluated] {
                assert!(
                    values.iter().all(|value| value.is_finite()),
                    "{name}: {values:?}"
                );
            }
        }
    }
}

/// KOALA_CASES=10000 for longer.
fn cases() -> u32 {
    let cases = std::env::var("KOALA_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

/// After many steps that say nothing, those that do are learned from as if it had been one.
#[test]
fn a_long_run_without_information_ends_when_there_is_some() {
    let good = Met {
        losses: vec![1.0, 1.5, 0.5],
        gradient: vec![0.3, -0.2, 0.1, 0.4, 0.2, -0.1, 0.5, 0.1],
        of_vector: true,
    };
    let nothing = [
        Met {
            gradient: vec![0.0; 8],
            ..good.clone()
        },
        Met {
            losses: vec![f32::NAN],
            ..good.clone()
        },
        Met {
            gradient: vec![f32::INFINITY; 8],
            ..good.clone()
        },
    ];
    for name in OptimizerSpec::NAMES
        .into_iter()
        .filter(|name| !is_of_burn(name))
    {
        for nothing in &nothing {
            let mut model = Four::new();
            let spec = OptimizerSpec::named(name).unwrap();
            let mut optimizer = spec.start(&model, u32::MAX).unwrap();
            model = step(optimizer.as_mut(), model, &good, name);
            for _ in 0..10_000 {
                model = step(optimizer.as_mut(), model, nothing, name);
            }
            let before = model.values();
            assert!(
                before.iter().all(|value| value.is_finite()),
                "{name}: {before:?}"
            );
            for _ in 0..20 {
                model = step(optimizer.as_mut(), model, &good, name);
            }
            let after = model.values();
            assert!(
                after.iter().all(|value| value.is_finite()),
                "{name}: {after:?}"
            );
            let evaluated = optimizer.evaluation(&model).unwrap().values();
            assert!(evaluated.iter().all(|value| value.is_finite()), "{name}");
            assert_ne!(before, after, "{name} moves no more after {nothing:?}");
        }
    }
}
