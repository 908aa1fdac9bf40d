//! Networks of texts, and the vision transformer: training by the fused operations goes the way of training by Burn's own.

#![allow(clippy::unwrap_used)]

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_burn::{Koala, KoalaMConfig, Observation};
use koala_models::language::{
    Gpt, GptSpec, LanguageModel, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
};
use koala_models::{Classifier, Draws, ImageShape, Masks, Vit, VitSpec, cross_entropy};
use koala_ops::with_burn;

const VOCABULARY: usize = 13;

/// The losses of all samples in each of so many steps of KOALA-M.
fn course<M: Module>(
    mut model: M,
    steps: u64,
    mut losses: impl FnMut(&M, u64) -> Tensor<1>,
) -> Vec<Vec<f32>> {
    let mut koala = Koala::new(KoalaMConfig::new().with_gain(1.0), &model).unwrap();
    let step = |step| {
        koala.predict(&mut model).unwrap();
        let losses = losses(&model, step);
        let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec().unwrap();
        let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
        let observation = Observation::from_losses(&host);
        koala.update(&mut model, gradients, observation).unwrap();
        host
    };
    (0..steps).map(step).collect()
}

/// Checks that the two courses differ by rounding, and that they lead somewhere.
fn check<M: Module, L: FnMut(&M, u64) -> Tensor<1>>(model: M, steps: u64, losses: impl Fn() -> L) {
    let fused = course(model.clone(), steps, losses());
    let burn = with_burn(|| course(model, steps, losses()));
    for (step, (fused, burn)) in fused.iter().zip(&burn).enumerate() {
        for (fused, burn) in fused.iter().zip(burn) {
            let difference = (fused - burn).abs();
            assert!(
                difference < 1e-3 * burn.abs().max(0.1),
                "step {step}: {fused}, not {burn}"
            );
        }
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&fused[0]), mean(&fused[fused.len() - 1]));
    assert!(last < 0.98 * first, "{first}, {last}");
}

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
    check(model.clone(), 40, || {
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
    check(model, 15, || {
        |model: &Vit, _| cross_entropy(model.forward(images.clone()), classes.clone())
    });
}
