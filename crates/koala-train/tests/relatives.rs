//! KOALA's relatives do what their authors' programs did. `fixtures/relatives/README.md` says how that was recorded.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use koala_data::digits;
use koala_models::{Classifier, Draws, Mlp, MlpSpec};
use koala_train::optimizers::{Optimizer, OptimizerSpec};
use koala_train::training::{Batch, cross_entropy, shape_of};
use safetensors::{Dtype, SafeTensors};

/// The recorded network's parameters.
#[derive(Module, Debug)]
struct Parameters {
    kernel: Param<Tensor<4>>,
    offset: Param<Tensor<1>>,
    weight: Param<Tensor<2>>,
}

const NAMES: [&str; 3] = ["kernel", "offset", "weight"];

struct Recording {
    name: String,
    bytes: Vec<u8>,
}

impl Recording {
    fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/relatives");
        Self {
            name: name.to_owned(),
            bytes: fs::read(folder.join(format!("{name}.safetensors"))).unwrap(),
        }
    }

    /// The optimizer with the recorded options, the others at their defaults.
    fn spec(&self) -> OptimizerSpec {
        let (_, header) = SafeTensors::read_metadata(&self.bytes).unwrap();
        let options = &header.metadata().as_ref().unwrap()["options"];
        let options: toml::Table = serde_json::from_str(options).unwrap();
        let name = options["name"].as_str().unwrap();
        let mut all = toml::Table::try_from(OptimizerSpec::named(name).unwrap()).unwrap();
        for (key, value) in options {
            assert!(all.insert(key.clone(), value).is_some(), "{key}");
        }
        let spec: OptimizerSpec = all.try_into().unwrap();
        spec
    }

    fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.bytes)
            .unwrap()
            .tensor(name)
            .is_ok()
    }

    /// Shape, type and values of a tensor.
    fn read(&self, name: &str) -> (Vec<usize>, DType, Vec<f64>) {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        let bytes = tensor.data();
        let (dtype, values) = match tensor.dtype() {
            Dtype::F64 => (
                DType::F64,
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f64::from_le_bytes(*b))
                    .collect(),
            ),
            Dtype::F32 => (
                DType::F32,
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b).into())
                    .collect(),
            ),
            other => panic!("{other:?}"),
        };
        (tensor.shape().to_vec(), dtype, values)
    }

    /// The values of a parameter or its gradient at a step.
    fn tensor<const D: usize>(&self, kind: &str, name: &str, step: usize) -> Tensor<D> {
        let (shape, dtype, values) = self.read(&format!("{kind}.{name}"));
        let size: usize = shape[1..].iter().product();
        let values = values[step * size..][..size].to_vec();
        let data = TensorData::new(values, shape[1..].to_vec()).convert_dtype(dtype);
        Tensor::from_data(data, (&Device::flex(), dtype))
    }

    fn model(&self) -> Parameters {
        fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
            Param::from_tensor(Tensor::from_inner(tensor).require_grad())
        }
        Parameters {
            kernel: parameter(self.tensor("parameters", "kernel", 0)),
            offset: parameter(self.tensor("parameters", "offset", 0)),
            weight: parameter(self.tensor("parameters", "weight", 0)),
        }
    }

    fn gradients(&self, model: &Parameters, step: usize) -> GradientsParams {
        let mut all = GradientsParams::new();
        all.register(
            model.kernel.id,
            self.tensor::<4>("gradients", "kernel", step),
        );
        all.register(
            model.offset.id,
            self.tensor::<1>("gradients", "offset", step),
        );
        all.register(
            model.weight.id,
            self.tensor::<2>("gradients", "weight", step),
        );
        all
    }

    /// The largest difference of a parameter from what was recorded, relative to the length of the recorded tensor.
    fn difference(&self, kind: &str, model: &Parameters, step: usize) -> f64 {
        let model = model.valid();
        let found: [Vec<f64>; 3] = [
            model.kernel.val().into_data().iter::<f64>().collect(),
            model.offset.val().into_data().iter::<f64>().collect(),
            model.weight.val().into_data().iter::<f64>().collect(),
        ];
        let differences = NAMES.iter().zip(found).map(|(name, found)| {
            let (_, _, all) = self.read(&format!("{kind}.{name}"));
            let expected = &all[step * found.len()..][..found.len()];
            let length = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
            let off = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
            let size = length(&mut expected.iter().copied());
            if off == 0.0 { 0.0 } else { off / size }
        });
        differences.fold(
            0.0,
            |worst, d| if d.is_nan() { d } else { f64::max(worst, d) },
        )
    }

    /// Feeds all that was recorded to the optimizer, and gives the largest difference.
    fn replay(&self) -> f64 {
        let spec = self.spec();
        let mut model = self.model();
        let mut optimizer = spec.start(&model, 10).unwrap();
        let (_, _, losses) = self.read("losses");
        let (_, _, factors) = self.read("factors");
        assert_eq!((losses.len(), factors.len()), (60, 60));
        let mut worst = 0.0f64;
        let mut take = |difference: f64, step: usize| {
            assert!(difference.is_finite(), "{}: step {step}", self.name);
            worst = worst.max(difference);
        };
        for (step, (loss, factor)) in losses.iter().zip(factors).enumerate() {
            let gradients = self.gradients(&model, step);
            // Two losses in single precision whose mean is the recorded one in double.
            let high = *loss as f32;
            let low = (loss - f64::from(high)) as f32;
            let losses = [2.0 * high, 2.0 * low];
            optimizer.prepare(&mut model).unwrap();
            let stepped = optimizer.step(model, gradients, &losses, factor).unwrap();
            model = stepped.0;
            take(self.difference("parameters", &model, step + 1), step);
            let evaluated = optimizer.evaluation(&model).unwrap();
            if self.has("evaluated.weight") {
                take(self.difference("evaluated", &evaluated, step), step);
                assert!(optimizer.needs_statistics());
            } else {
                take(self.difference("parameters", &evaluated, step + 1), step);
            }
        }
        println!("{}: {worst:e}", self.name);
        worst
    }
}

fn holds(names: &[&str]) {
    for name in names {
        let recording = Recording::open(name);
        let (_, dtype, _) = recording.read("losses");
        let bound = if dtype == DType::F64 { 1e-12 } else { 3e-6 };
        let worst = recording.replay();
        assert!(worst <= bound, "{name}: {worst:e}");
    }
}

#[test]
fn sps_max_holds() {
    holds(&[
        "sps-max-f32",
        "sps-max-f64",
        "sps-max-scaled",
        "sps-max-bound-decay",
    ]);
}

#[test]
fn momo_holds() {
    holds(&[
        "momo-f32",
        "momo-f64",
        "momo-decay",
        "momo-corrected",
        "momo-estimated",
        "momo-estimated-above",
    ]);
}

#[test]
fn momo_adam_holds() {
    holds(&[
        "momo-adam-f32",
        "momo-adam-f64",
        "momo-adam-decay",
        "momo-adam-estimated",
    ]);
}

#[test]
fn prodigy_holds() {
    holds(&[
        "prodigy-f32",
        "prodigy-f64",
        "prodigy-decoupled",
        "prodigy-coupled",
        "prodigy-warm-up",
    ]);
}

#[test]
fn schedule_free_sgd_holds() {
    holds(&[
        "schedule-free-sgd-f32",
        "schedule-free-sgd-f64",
        "schedule-free-sgd-warm-up",
    ]);
}

#[test]
fn schedule_free_adamw_holds() {
    holds(&[
        "schedule-free-adamw-f32",
        "schedule-free-adamw-f64",
        "schedule-free-adamw-warm-up",
        "schedule-free-adamw-falling",
    ]);
}

/// All that decides how training goes on.
fn bits(model: &Parameters, optimizer: &dyn Optimizer<Parameters>) -> (Vec<u8>, Vec<u8>) {
    let weights = koala_train::run::weights_to_bytes(model).unwrap();
    (weights, optimizer.state(model).unwrap())
}

#[test]
fn steps_that_are_not_finite_are_left_out() {
    for name in [
        "sps-max",
        "momo",
        "momo-adam",
        "prodigy",
        "schedule-free-sgd",
        "schedule-free-adamw",
    ] {
        let recording = Recording::open(&format!("{name}-f32"));
        let mut model = recording.model();
        let mut optimizer = recording.spec().start(&model, 10).unwrap();
        for step in 0..10 {
            let gradients = recording.gradients(&model, step);
            model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        }
        let before = bits(&model, &*optimizer);
        for (loss, odd) in [
            (f32::NAN, 1.0),
            (f32::INFINITY, 1.0),
            (0.5, f32::NAN),
            (0.5, f32::INFINITY),
        ] {
            let mut gradients = recording.gradients(&model, 10);
            if odd != 1.0 {
                let spoilt = Tensor::<1>::from_floats([0.1, odd, 0.2], &Device::flex());
                gradients.register(model.offset.id, spoilt);
            }
            let (left, summary) = optimizer.step(model, gradients, &[loss], 1.0).unwrap();
            model = left;
            assert_eq!(summary.effective_learning_rate, 0.0, "{name}");
            assert!(bits(&model, &*optimizer) == before, "{name}: {loss} {odd}");
        }
        let gradients = recording.gradients(&model, 10);
        model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        assert!(bits(&model, &*optimizer) != before, "{name}");
    }
}

#[test]
fn parameters_without_gradients_are_left_alone() {
    for name in [
        "sps-max",
        "momo",
        "momo-adam",
        "prodigy",
        "schedule-free-sgd",
        "schedule-free-adamw",
    ] {
        let recording = Recording::open(&format!("{name}-f32"));
        let mut model = recording.model();
        let mut optimizer = recording.spec().start(&model, 10).unwrap();
        let weight = |model: &Parameters| model.weight.val().into_data();
        let before = weight(&model);
        for step in 0..3 {
            let mut gradients = recording.gradients(&model, step);
            gradients.remove::<2>(model.weight.id);
            model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        }
        assert_eq!(weight(&model), before, "{name}");
        let gradients = recording.gradients(&model, 3);
        model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        assert_ne!(weight(&model), before, "{name}");
        bits(&model, &*optimizer);
    }
}

#[test]
fn each_learns_digits() {
    let split = digits().unwrap();
    let device = Device::flex().autodiff();
    let shape = shape_of(&split.train);
    for name in [
        "sps-max",
        "momo",
        "momo-adam",
        "prodigy",
        "schedule-free-sgd",
        "schedule-free-adamw",
    ] {
        let mut draws = Draws::new(1, &device);
        let mut model = Mlp::new(&MlpSpec { hidden: vec![32] }, shape, &mut draws);
        let spec = OptimizerSpec::named(name).unwrap();
        let mut optimizer = spec.start(&model, 10).unwrap();
        for step in 0..150 {
            let samples: Vec<usize> = (0..64)
                .map(|i| (i + 64 * step) % split.train.len())
                .collect();
            let batch = Batch::new(split.train.host_batch(&samples, None), &device);
            optimizer.prepare(&mut model).unwrap();
            let losses = cross_entropy(model.forward(batch.images), batch.targets);
            let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec().unwrap();
            let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
            model = optimizer.step(model, gradients, &host, 1.0).unwrap().0;
        }
        let model = optimizer.evaluation(&model).unwrap();
        let all: Vec<usize> = (0..split.test.len()).collect();
        let batch = Batch::new(split.test.host_batch(&all, None), &Device::flex());
        let guesses = model.forward(batch.images).argmax(1).into_data();
        let wrong = guesses
            .iter::<i64>()
            .zip(&batch.labels)
            .filter(|(a, b)| *a != i64::from(**b));
        let error = 100.0 * wrong.count() as f64 / all.len() as f64;
        println!("{name}: {error:.1} %");
        // Chance is 90 %.
        assert!(error < 25.0, "{name}: {error}");
    }
}
