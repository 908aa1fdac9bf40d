//! Networks of texts, and the vision transformer: training by the fused operations goes the way of training by Burn's own.

#![allow(clippy::unwrap_used)]

mod course;

use burn::tensor::{Device, Int, Tensor, TensorData};
use course::check;
use koala_models::language::{
    Gpt, GptSpec, LanguageModel, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
};
use koala_models::{Classifier, Draws, ImageShape, Masks, Vit, VitSpec, cross_entropy};

const VOCABULARY: usize = 13;

/// Made tokens, `[batch, time]`, and the ones that follow them.
fn tokens([batch, time]: [usize; 2], device: &Device) -> [Tensor<2, Int>; 2] {
    [0, 1].map(|shift| {
        let token = |i: usize| ((i / time * 5 + (i % time + shift) * 3) % VOCABULARY) as i32;
        let values: Vec<i32> = (0..batch * time).map(token).collect();
        Tensor::from_data(TensorData::new(values, [batch, time]), device)
    })
}

/// Windows one after the other: what is remembered goes from each to the next.
fn check_texts<M: LanguageModel>(make: impl Fn(&mut Draws) -> M) {
    let device = Device::flex().autodiff();
    let model = make(&mut Draws::new(1, &device));
    let [input, target] = tokens([9, 37], &device);
    check(model.clone(), 40, 1.0, || {
        let mut state = model.start(9);
        let (input, target) = (input.clone(), target.clone());
        move |model: &M, step| {
            let mut masks = Masks::new(3, step);
            let (scores, after) = model.forward(input.clone(), state.clone(), &mut masks);
            state = after;
            cross_entropy(scores.flatten(0, 1), target.clone().flatten(0, 1))
        }
    });
}

#[test]
fn lstm() {
    let spec = LstmSpec {
        hidden: 24,
        dropout: 0.2,
        ..LstmSpec::new(VOCABULARY)
    };
    check_texts(|draws| LstmModel::new(&spec, draws).unwrap());
}

#[test]
fn transformer() {
    let spec = TransformerSpec {
        width: 24,
        hidden: 20,
        dropout: 0.2,
        ..TransformerSpec::new(VOCABULARY)
    };
    check_texts(|draws| TransformerModel::new(&spec, draws).unwrap());
}

#[test]
fn gpt() {
    let spec = GptSpec {
        width: 24,
        heads: 3,
        layers: 2,
        dropout: 0.2,
        ..GptSpec::new(VOCABULARY)
    };
    check_texts(|draws| Gpt::new(&spec, draws).unwrap());
}

#[test]
fn vit() {
    let device = Device::flex().autodiff();
    let shape = ImageShape {
        channels: 1,
        height: 12,
        width: 12,
        classes: 10,
    };
    let spec = VitSpec {
        width: 24,
        heads: 3,
        layers: 2,
        ..VitSpec::default()
    };
    let model = Vit::new(&spec, shape, &mut Draws::new(1, &device)).unwrap();
    let pixels: Vec<f32> = (0..20 * 144).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = Tensor::<4>::from_data(TensorData::new(pixels, [20, 1, 12, 12]), &device);
    let classes: Vec<i32> = (0..20).map(|i| i % 10).collect();
    let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [20]), &device);
    check(model, 15, 1.0, || {
        |model: &Vit, _| cross_entropy(model.forward(images.clone()), classes.clone())
    });
}
