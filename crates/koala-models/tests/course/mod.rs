//! Training by the fused operations beside training by Burn's own.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use koala_burn::{Koala, KoalaMConfig, Observation};
use koala_ops::with_burn;

/// The losses of all samples in each of so many steps of KOALA-M with this gain.
fn course<M: Module>(
    mut model: M,
    steps: u64,
    gain: f64,
    mut losses: impl FnMut(&M, u64) -> Tensor<1>,
) -> Vec<Vec<f32>> {
    let mut koala = Koala::new(KoalaMConfig::new().with_gain(gain), &model).unwrap();
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
pub fn check<M: Module, L: FnMut(&M, u64) -> Tensor<1>>(
    model: M,
    steps: u64,
    gain: f64,
    losses: impl Fn() -> L,
) {
    let fused = course(model.clone(), steps, gain, losses());
    let burn = with_burn(|| course(model, steps, gain, losses()));
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
