//! What tests of networks share: whether a network learns, and what its scores depend on.

use burn::module::Module;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_burn::{Koala, KoalaMConfig, Observation};

use crate::Masks;
use crate::language::WindowModel;

/// Checks that a few steps of KOALA-M with this gain and of SGD with this learning rate lower the mean of the losses by a tenth.
pub(crate) fn falls<M: Module>(
    model: M,
    steps: usize,
    [gain, learning_rate]: [f64; 2],
    losses: impl Fn(&M) -> Tensor<1>,
) {
    let mut koala = Koala::new(KoalaMConfig::new().with_gain(gain), &model).unwrap();
    check_fall("koala-m", steps, model.clone(), |mut model| {
        koala.predict(&mut model).unwrap();
        let (gradients, host) = backward(&model, losses(&model));
        let observation = Observation::from_losses(&host);
        koala.update(&mut model, gradients, observation).unwrap();
        (model, host)
    });
    let momentum = MomentumConfig {
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
    };
    let mut sgd = SgdConfig::new().with_momentum(Some(momentum)).init();
    check_fall("sgd", steps, model, |model| {
        let (gradients, host) = backward(&model, losses(&model));
        (sgd.step(learning_rate, model, gradients), host)
    });
}

/// Gradients of the mean loss, and the losses on the host.
fn backward<M: Module>(model: &M, losses: Tensor<1>) -> (GradientsParams, Vec<f32>) {
    let host = losses.clone().inner().into_data().try_into_vec().unwrap();
    (
        GradientsParams::from_grads(losses.mean().backward(), model),
        host,
    )
}

fn check_fall<M>(name: &str, steps: usize, mut model: M, mut step: impl FnMut(M) -> (M, Vec<f32>)) {
    let mut means = Vec::new();
    for _ in 0..steps {
        let (next, losses) = step(model);
        means.push(losses.iter().sum::<f32>() / losses.len() as f32);
        model = next;
    }
    let last = means[steps - 3..].iter().sum::<f32>() / 3.0;
    assert!(last < 0.9 * means[0], "{name}: {means:?}");
}

/// Made tokens, `[batch, time]`, and the ones that follow them.
pub(crate) fn tokens(
    [batch, time]: [usize; 2],
    vocabulary: usize,
    device: &Device,
) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let of = |shift: usize| {
        let values: Vec<i32> = (0..batch * time)
            .map(|i| ((i / time * 5 + (i % time + shift) * 3) % vocabulary) as i32)
            .collect();
        Tensor::from_data(TensorData::new(values, [batch, time]), device)
    };
    (of(0), of(1))
}

/// The loss of each token.
pub(crate) fn token_losses(scores: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    crate::cross_entropy(scores.flatten(0, 1), targets.flatten(0, 1))
}

/// Checks that training lowers the loss of a few made tokens.
pub(crate) fn check_learning<M: WindowModel>(model: M, vocabulary: usize) {
    let (input, target) = tokens([4, 6], vocabulary, &Device::flex().autodiff());
    falls(model, 40, [0.3, 0.1], |model| {
        let scores = model.scores(input.clone(), &mut Masks::new(3, 0));
        token_losses(scores, target.clone())
    });
}

/// Checks that the scores of a position do not depend on later tokens, and do on earlier ones.
pub(crate) fn check_causal<M: WindowModel>(model: &M, vocabulary: usize) {
    let device = Device::flex();
    let (input, other) = tokens([1, 5], vocabulary, &device);
    let scores = |tokens| model.scores(tokens, &mut Masks::off());
    let changed = Tensor::cat(
        vec![input.clone().narrow(1, 0, 3), other.narrow(1, 3, 2)],
        1,
    );
    let difference = (scores(input) - scores(changed)).abs();
    let largest = |from, count| {
        difference
            .clone()
            .narrow(1, from, count)
            .max()
            .into_scalar::<f32>()
    };
    assert_eq!(largest(0, 3), 0.0);
    assert!(largest(3, 2) > 0.0);
}
