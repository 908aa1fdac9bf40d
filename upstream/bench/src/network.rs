//! The convolutions of ResNet-20 on 32 x 32 pixels, one after the other, each normalised and rectified.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{AutodiffBackend, FloatDType};

use crate::convolution::Layer;
use crate::normalisation::EPSILON;
use crate::tensors::{Tensor, random};

const IMAGES: usize = 32;

/// The layers: the first, and three stages of six.
fn layers() -> Vec<Layer> {
    let mut layers = vec![Layer::new("", IMAGES, [3, 16], 32)];
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        let size = 32 >> stage;
        let first = match stage {
            0 => Layer::new("", IMAGES, [channels; 2], size),
            _ => Layer::new("", IMAGES, [channels / 2, channels], 2 * size).kernel(3, 2),
        };
        layers.push(first);
        layers.extend([Layer::new("", IMAGES, [channels; 2], size); 5]);
    }
    layers
}

/// A function that goes forward and back once, computing in `dtype`, and gives the gradient of the first weight.
pub fn pass<A: AutodiffBackend>(dtype: FloatDType) -> impl Fn() -> Tensor<A::InnerBackend> {
    let layers = layers();
    let cast = |tensor| A::InnerBackend::float_cast(tensor, dtype);
    let input = cast(layers[0].input::<A::InnerBackend>());
    let weights: Vec<[Tensor<A::InnerBackend>; 3]> = layers
        .iter()
        .map(|layer| {
            let vector = |seed| random::<A::InnerBackend>([layer.channels[1]], 1.0, seed);
            [layer.weight::<A::InnerBackend>(), vector(3), vector(4)].map(cast)
        })
        .collect();
    move || {
        let mut values = A::from_inner(input.clone());
        let mut first = None;
        for (layer, weights) in layers.iter().zip(&weights) {
            let tracked = |tensor| A::float_set_require_grad(A::from_inner(tensor), true);
            let [weight, gamma, beta] = weights.clone().map(tracked);
            first.get_or_insert_with(|| weight.clone());
            values = A::conv2d(values, weight, None, layer.options());
            values = A::batch_norm_train(values, gamma, beta, EPSILON).output;
            values = A::relu(values);
        }
        let gradients = A::backward(A::float_sum(values));
        first
            .and_then(|first| A::grad(&first, &gradients))
            .expect("the weight takes part")
    }
}
