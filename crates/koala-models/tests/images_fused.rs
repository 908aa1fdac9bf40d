//! Networks of images and rows: training by the fused operations goes the way of training by Burn's own.

#![allow(clippy::unwrap_used)]

mod course;

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor, TensorData};
use course::check;
use koala_models::gan::{Critic, DcganSpec, Generator, critic_losses, generator_losses};
use koala_models::{
    Autoencoder, AutoencoderSpec, Classifier, Cnn, CnnNorm, CnnSpec, Draws, ImageShape, Mlp,
    MlpSpec, Reconstructor, Regressor, ResNet, ResNetForm, ResNetSpec, binary_cross_entropy,
    cross_entropy, squared_error,
};
use koala_ops::with_burn;

const SHAPE: ImageShape = ImageShape {
    channels: 2,
    height: 16,
    width: 16,
    classes: 4,
};
const BATCH: usize = 11;

fn device() -> Device {
    Device::flex().autodiff()
}

fn made<const D: usize>(shape: [usize; D], frequency: f32) -> Tensor<D> {
    let elements: usize = shape.iter().product();
    let values: Vec<f32> = (0..elements)
        .map(|i| (i as f32 * frequency).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn images(frequency: f32) -> Tensor<4> {
    made(
        [BATCH, SHAPE.channels, SHAPE.height, SHAPE.width],
        frequency,
    )
}

fn check_classes<M: Classifier>(model: M, steps: u64, gain: f64) {
    let targets: Vec<i64> = (0..BATCH).map(|i| (i % SHAPE.classes) as i64).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [BATCH]), &device());
    check(model, steps, gain, || {
        let (images, targets) = (images(0.7), targets.clone());
        move |model: &M, _| cross_entropy(model.forward(images.clone()), targets.clone())
    });
}

#[test]
fn mlp() {
    let spec = MlpSpec {
        hidden: vec![40, 30],
    };
    check_classes(
        Mlp::new(&spec, SHAPE, &mut Draws::new(1, &device())),
        20,
        1.0,
    );
}

#[test]
fn cnn() {
    for norm in [CnnNorm::Batch, CnnNorm::None] {
        let spec = CnnSpec {
            channels: vec![7, 12],
            hidden: 20,
            norm,
        };
        check_classes(
            Cnn::new(&spec, SHAPE, &mut Draws::new(1, &device())),
            30,
            0.1,
        );
    }
}

fn resnet(form: ResNetForm) -> ResNet {
    ResNet::new(
        form,
        &ResNetSpec { width: 6 },
        SHAPE,
        &mut Draws::new(1, &device()),
    )
}

/// Shortcuts without parameters, and projections.
#[test]
fn resnets() {
    check_classes(resnet(ResNetForm::ResNet20), 8, 0.01);
    check_classes(resnet(ResNetForm::ResNet18), 8, 0.01);
}

/// Fifty layers, made of bottlenecks: where a sum is 0 but for rounding, ReLU's gradient is one or the other, and the courses part.
#[test]
fn scores_of_fifty_layers() {
    let model = resnet(ResNetForm::ResNet50);
    let scores = |images| -> Vec<f32> {
        let scores: Tensor<2> = model.forward(images);
        scores.into_data().try_into_vec().unwrap()
    };
    let (fused, burn) = (scores(images(0.7)), with_burn(|| scores(images(0.7))));
    for (fused, burn) in fused.iter().zip(&burn) {
        assert!(
            (fused - burn).abs() < 1e-4 * burn.abs().max(1.0),
            "{fused}, not {burn}"
        );
    }
}

#[test]
fn autoencoder() {
    let spec = AutoencoderSpec {
        hidden: vec![30, 8, 30],
    };
    let model = Autoencoder::new(&spec, SHAPE, &mut Draws::new(1, &device()));
    check(model, 40, 1.0, || {
        let images = sigmoid(images(0.7));
        move |model: &Autoencoder, _| {
            binary_cross_entropy(
                model.reconstruct(images.clone()),
                images.clone().flatten(1, 3),
            )
        }
    });
}

#[test]
fn regressor() {
    let spec = MlpSpec { hidden: vec![20] };
    let model = Mlp::for_rows(&spec, 5, &mut Draws::new(1, &device()));
    check(model, 40, 1.0, || {
        let (rows, targets) = (made([BATCH, 5], 0.7), made([BATCH], 0.3));
        move |model: &Mlp, _| squared_error(model.tell(rows.clone()), targets.clone())
    });
}

/// The generator's losses are below 0, where the critic's scores are above: moved up, they can fall by a share of themselves.
#[test]
fn generator_and_critic() {
    let spec = DcganSpec { noise: 6, width: 5 };
    let mut draws = Draws::new(1, &device());
    let critic = Critic::new(&spec, SHAPE, &mut draws).unwrap();
    let generator = Generator::new(&spec, SHAPE, &mut draws).unwrap();
    check(critic.clone(), 10, 0.3, || {
        let [real, other] = [0.7, 0.31].map(|frequency| images(frequency).tanh());
        let shares = sigmoid(made([BATCH], 0.9));
        move |model: &Critic, _| {
            critic_losses(model, real.clone(), other.clone(), shares.clone(), 10.0)
        }
    });
    check(generator, 60, 1.0, || {
        let critic = critic.clone().no_grad();
        let noise = made([BATCH, 6], 0.7);
        move |model: &Generator, _| generator_losses(model, &critic, noise.clone()) + 1.0
    });
}
