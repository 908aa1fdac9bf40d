//! Forward passes on given weights agree with PyTorch's. `fixtures/networks/README.md` says how they were recorded.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use koala_models::ImageShape;
use koala_models::gan::gradient_penalty;
use koala_models::gan::{Critic, DcganSpec, Generator};
use koala_models::language::{
    LanguageModel, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
};
use koala_models::stored::weights_from_bytes;
use koala_models::{Classifier, Draws, Masks, ResNet, ResNetForm, ResNetSpec};
use safetensors::{Dtype, SafeTensors};

/// What was recorded of one network.
struct Record {
    bytes: Vec<u8>,
}

impl Record {
    fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/networks");
        let file = folder.join(format!("{name}.safetensors"));
        let bytes = fs::read(&file).unwrap();
        Self { bytes }
    }

    /// The network with the recorded weights: everything in the file but what was computed with them.
    fn weights<M: Module>(&self, model: M) -> M {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        let weights = tensors
            .iter()
            .filter(|(name, _)| !name.starts_with("record."));
        weights_from_bytes(model, &safetensors::serialize(weights, None).unwrap()).unwrap()
    }

    /// Shape and values of a tensor of 32-bit floats.
    fn floats(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
        let values = tensor
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        (tensor.shape().to_vec(), values)
    }

    fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let (shape, values) = self.floats(name);
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Checks that a tensor is the recorded one.
    fn check<const D: usize>(&self, name: &str, found: Tensor<D>) {
        let (shape, expected) = self.floats(name);
        assert_eq!(found.dims().to_vec(), shape, "{name}");
        let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(f, e)| (f - e).abs() / e.abs().max(1.0))
            .fold(0.0, f32::max);
        println!("{name}: {worst:e}");
        assert!(worst < 1e-4, "{name}: {worst}");
    }
}

fn residual(name: &str, form: ResNetForm, width: usize) {
    let shape = ImageShape {
        channels: 3,
        height: 12,
        width: 12,
        classes: 10,
    };
    let record = Record::open(name);
    let plain = Device::flex();
    let trained = Device::flex().autodiff();
    let mut draws = Draws::new(1, &trained);
    let mut model = ResNet::new(form, &ResNetSpec { width }, shape, &mut draws);
    model = record.weights(model);
    let images = record.tensor("record.images", &plain);
    record.check("record.inference", model.valid().forward(images));
    let images = record.tensor("record.images", &trained);
    record.check("record.training", model.forward(images).inner());
}

#[test]
fn resnet_18_agrees() {
    residual("resnet18", ResNetForm::ResNet18, 4);
}

#[test]
fn resnet_50_agrees() {
    residual("resnet50", ResNetForm::ResNet50, 2);
}

#[test]
fn the_lstm_agrees_and_carries_its_state() {
    let record = Record::open("lstm");
    let device = Device::flex();
    let spec = LstmSpec {
        hidden: 12,
        ..LstmSpec::new(17)
    };
    let mut model = LstmModel::new(&spec, &mut Draws::new(1, &device)).unwrap();
    model = record.weights(model);
    let mut state = model.start(3);
    for window in ["first", "second"] {
        let tokens: Tensor<2> = record.tensor(&format!("record.{window}.tokens"), &device);
        let (scores, after) = model.forward(tokens.int(), state, &mut Masks::off());
        record.check(&format!("record.{window}.scores"), scores);
        let hidden = after.iter().map(|layer| layer.hidden.clone()).collect();
        let cell = after.iter().map(|layer| layer.cell.clone()).collect();
        record.check(
            &format!("record.{window}.hidden"),
            Tensor::stack::<3>(hidden, 0),
        );
        record.check(
            &format!("record.{window}.cell"),
            Tensor::stack::<3>(cell, 0),
        );
        state = after;
    }
}

#[test]
fn the_transformer_agrees() {
    let record = Record::open("transformer");
    let device = Device::flex();
    let spec = TransformerSpec {
        width: 12,
        hidden: 20,
        ..TransformerSpec::new(17)
    };
    let mut model = TransformerModel::new(&spec, &mut Draws::new(1, &device)).unwrap();
    model = record.weights(model);
    let tokens: Tensor<2> = record.tensor("record.tokens", &device);
    let (scores, ()) = model.forward(tokens.int(), (), &mut Masks::off());
    record.check("record.scores", scores);
}

fn small_images() -> ImageShape {
    ImageShape {
        channels: 2,
        height: 16,
        width: 16,
        classes: 10,
    }
}

#[test]
fn the_generator_agrees() {
    let record = Record::open("generator");
    let spec = DcganSpec { noise: 6, width: 3 };
    let trained = Device::flex().autodiff();
    let mut model = Generator::new(&spec, small_images(), &mut Draws::new(1, &trained)).unwrap();
    model = record.weights(model);
    let noise = record.tensor("record.noise", &Device::flex());
    record.check("record.inference", model.valid().forward(noise));
    let noise = record.tensor("record.noise", &trained);
    record.check("record.training", model.forward(noise).inner());
}

/// Compares gradients with the recorded ones, by the names of their parameters.
struct CheckGradients<'a> {
    record: &'a Record,
    gradients: &'a Gradients,
    path: Vec<String>,
    checked: Vec<String>,
}

impl ModuleVisitor for CheckGradients<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let Some(found) = param.val().grad(self.gradients) else {
            // The penalty does not depend on the biases: PyTorch's are 0, and were when this was recorded.
            assert!(name.ends_with("bias"), "{name}");
            return;
        };
        let expected = self
            .record
            .tensor::<D>(&format!("record.gradient.{name}"), &Device::flex());
        let largest = expected.clone().abs().max().into_scalar::<f32>();
        let difference = (found - expected).abs().max().into_scalar::<f32>() / largest;
        println!("{name}: {difference:e} of the largest value");
        assert!(difference < 1e-5, "{name}: {difference}");
        self.checked.push(name);
    }
}

#[test]
fn the_critic_its_gradient_penalty_and_the_penaltys_gradients_agree() {
    let record = Record::open("critic");
    let spec = DcganSpec { noise: 6, width: 3 };
    let device = Device::flex().autodiff();
    let mut model = Critic::new(&spec, small_images(), &mut Draws::new(1, &device)).unwrap();
    model = record.weights(model);
    let images: Tensor<4> = record.tensor("record.images", &device);
    record.check("record.scores", model.forward(images.clone()).inner());
    let penalties = gradient_penalty(&model, images);
    record.check("record.penalties", penalties.clone().inner());
    let weights = Tensor::from_data([1.0f32, 2.0, 3.0, 4.0, 5.0], &device);
    let mut check = CheckGradients {
        record: &record,
        gradients: &(penalties * weights).sum().backward(),
        path: Vec::new(),
        checked: Vec::new(),
    };
    model.visit(&mut check);
    assert_eq!(
        check.checked,
        ["layers.0.weight", "layers.1.weight", "output.weight"]
    );
}
