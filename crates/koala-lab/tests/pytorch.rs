//! Forward passes on given weights agree with PyTorch's. `fixtures/networks/README.md` says how they were recorded.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use koala_lab::data::ImageShape;
use koala_lab::models::language::{
    LanguageModel, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
};
use koala_lab::models::{Classifier, Draws, Masks, ResNet, ResNetForm, ResNetSpec};
use koala_lab::run::read_weights;
use safetensors::{Dtype, SafeTensors};

/// What was recorded of one network.
struct Record {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Record {
    fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/networks");
        let file = folder.join(format!("{name}.safetensors"));
        let bytes = fs::read(&file).unwrap();
        Self { file, bytes }
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
        println!("{}: {name}: {worst:e}", self.file.display());
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
    read_weights(&mut model, &record.file).unwrap();
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
    read_weights(&mut model, &record.file).unwrap();
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
    read_weights(&mut model, &record.file).unwrap();
    let tokens: Tensor<2> = record.tensor("record.tokens", &device);
    let (scores, ()) = model.forward(tokens.int(), (), &mut Masks::off());
    record.check("record.scores", scores);
}
