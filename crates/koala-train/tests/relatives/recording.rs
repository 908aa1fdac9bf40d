//! Recorded runs, and their parameters as a module.

use std::fs;
use std::path::PathBuf;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use koala_train::optimizers::OptimizerSpec;
use safetensors::{Dtype, SafeTensors};

/// The parameters of a recorded network.
pub trait Recorded: Module + 'static {
    const NAMES: &'static [&'static str];

    /// As they were before the first step.
    fn first(recording: &Recording) -> Self;

    /// What was recorded of their gradients at a step.
    fn gradients(&self, recording: &Recording, step: usize) -> GradientsParams;

    /// Their numbers, in the order of the names.
    fn values(&self) -> Vec<Vec<f64>>;
}

/// A module of parameters, each of so many dimensions.
macro_rules! recorded {
    ($(#[$about:meta])* $module:ident { $($name:ident: $dimensions:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Module, Debug)]
        pub struct $module {
            $(pub $name: Param<Tensor<$dimensions>>,)+
        }

        impl Recorded for $module {
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            fn first(recording: &Recording) -> Self {
                $(let $name = recording.tensor::<$dimensions>("parameters", stringify!($name), 0);)+
                Self {
                    $($name: Param::from_tensor(Tensor::from_inner($name).require_grad()),)+
                }
            }

            fn gradients(&self, recording: &Recording, step: usize) -> GradientsParams {
                let mut all = GradientsParams::new();
                $(
                    let gradient = recording.tensor::<$dimensions>("gradients", stringify!($name), step);
                    all.register(self.$name.id, gradient);
                )+
                all
            }

            fn values(&self) -> Vec<Vec<f64>> {
                vec![$(self.$name.val().into_data().iter::<f64>().collect()),+]
            }
        }
    };
}

recorded! {
    /// Most networks.
    Parameters { kernel: 4, offset: 1, weight: 2 }
}

recorded! {
    /// Muon's.
    Matrices { input: 2, wide: 2, tall: 2, kernel: 4, offset: 1, output: 2 }
}

pub struct Recording {
    pub name: String,
    bytes: Vec<u8>,
}

impl Recording {
    pub fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/relatives");
        Self {
            name: name.to_owned(),
            bytes: fs::read(folder.join(format!("{name}.safetensors"))).unwrap(),
        }
    }

    /// The optimizer with the recorded options, the others at their defaults.
    pub fn spec(&self) -> OptimizerSpec {
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

    pub fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.bytes)
            .unwrap()
            .tensor(name)
            .is_ok()
    }

    /// Shape, type and values of a tensor.
    pub fn read(&self, name: &str) -> (Vec<usize>, DType, Vec<f64>) {
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
    pub fn tensor<const D: usize>(&self, kind: &str, name: &str, step: usize) -> Tensor<D> {
        let (shape, dtype, values) = self.read(&format!("{kind}.{name}"));
        let size: usize = shape[1..].iter().product();
        let values = values[step * size..][..size].to_vec();
        let data = TensorData::new(values, shape[1..].to_vec()).convert_dtype(dtype);
        Tensor::from_data(data, (&Device::flex(), dtype))
    }

    /// The largest difference of a parameter from what was recorded, relative to the length of the recorded tensor.
    fn difference<M: Recorded>(&self, kind: &str, model: &M, step: usize) -> f64 {
        let found = model.valid().values();
        let differences = M::NAMES.iter().zip(found).map(|(name, found)| {
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
    pub fn replay<M: Recorded>(&self) -> f64 {
        let spec = self.spec();
        let mut model = M::first(self);
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
            let gradients = model.gradients(self, step);
            // Two losses in single precision whose mean is the recorded one in double.
            let high = *loss as f32;
            let low = (loss - f64::from(high)) as f32;
            let losses = [2.0 * high, 2.0 * low];
            optimizer.prepare(&mut model).unwrap();
            let stepped = optimizer.step(model, gradients, &losses, factor).unwrap();
            model = stepped.0;
            take(self.difference("parameters", &model, step + 1), step);
            let evaluated = optimizer.evaluation(&model).unwrap();
            if self.has(&format!("evaluated.{}", M::NAMES[0])) {
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
