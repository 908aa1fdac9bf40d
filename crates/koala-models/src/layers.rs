//! Burn's layers by the fused operations.

use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use koala_ops::Activation;

/// The default of Burn's `LayerNormConfig`, and PyTorch's. The layer has it too, but does not show it.
pub(crate) const LAYER_NORM_EPSILON: f64 = 1e-5;

/// `activation(layer(x))`, `[.., inputs]` to `[.., outputs]`.
pub(crate) fn linear<const D: usize>(
    layer: &Linear,
    x: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    koala_ops::linear(x, layer.weight.val(), bias, activation)
}

/// A layer of [`Draws::layer_norm`](crate::Draws::layer_norm) applied to the last dimension.
pub(crate) fn layer_norm<const D: usize>(layer: &LayerNorm, x: Tensor<D>) -> Tensor<D> {
    let beta = layer.beta.as_ref().map(|beta| beta.val());
    koala_ops::layer_norm(x, layer.gamma.val(), beta, LAYER_NORM_EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draws;
    use crate::testing::values;
    use burn::tensor::{Device, TensorData};

    /// Of small variance, so that the epsilon shows.
    #[test]
    fn layers_are_burns_own() {
        let device = Device::flex();
        let mut draws = Draws::new(1, &device);
        let x: Vec<f32> = (0..12).map(|i| (i as f32).sin() * 3e-3).collect();
        let x = Tensor::<2>::from_data(TensorData::new(x, [3, 4]), &device);
        let close = |found: Tensor<2>, expected: Tensor<2>| {
            for difference in values((found - expected).abs().flatten(0, 1)) {
                assert!(difference < 1e-6, "{difference}");
            }
        };
        let norm = draws.layer_norm(4);
        close(layer_norm(&norm, x.clone()), norm.forward(x.clone()));
        let layer = draws.linear(4, 5);
        let found = linear(&layer, x.clone(), Activation::Identity);
        close(found, layer.forward(x));
    }
}
