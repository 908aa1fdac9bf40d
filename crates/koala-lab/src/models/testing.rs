//! What tests of networks share.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_core::KoalaMConfig;

use crate::optimizers::{Baseline, KoalaOptimizer, Optimizer, SgdSpec};

/// Made images without meaning, `[batch, channels, height, width]`, and their classes.
pub(crate) fn images(
    shape: [usize; 4],
    classes: usize,
    device: &Device,
) -> (Tensor<4>, Tensor<1, Int>) {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
    let targets: Vec<i32> = (0..shape[0]).map(|i| (i % classes) as i32).collect();
    (
        Tensor::from_data(TensorData::new(values, shape), device),
        Tensor::from_data(TensorData::new(targets, [shape[0]]), device),
    )
}

/// Checks that a few steps of KOALA-M and of SGD lower the mean of the losses.
pub(crate) fn falls<M: Module>(model: M, losses: impl Fn(&M) -> Tensor<1>) {
    let koala = KoalaOptimizer::new(KoalaMConfig::new().into(), &model).unwrap();
    let sgd = Baseline::from(&SgdSpec {
        learning_rate: 0.05,
        ..SgdSpec::default()
    });
    let optimizers: [(&str, Box<dyn Optimizer<M>>); 2] =
        [("koala-m", Box::new(koala)), ("sgd", Box::new(sgd))];
    for (name, mut optimizer) in optimizers {
        let mut model = model.clone();
        let mut means = Vec::new();
        for _ in 0..12 {
            optimizer.prepare(&mut model).unwrap();
            let values = losses(&model);
            let host: Vec<f32> = values.clone().inner().into_data().try_into_vec().unwrap();
            means.push(host.iter().sum::<f32>() / host.len() as f32);
            let gradients = GradientsParams::from_grads(values.mean().backward(), &model);
            model = optimizer.step(model, gradients, &host, 1.0).unwrap().0;
        }
        let last = means[means.len() - 1];
        assert!(last < 0.9 * means[0], "{name}: {means:?}");
    }
}
