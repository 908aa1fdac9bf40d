//! What Burn's layers do not show of themselves.

use burn::nn::LayerNorm;
use burn::tensor::Tensor;
use koala_ops::nn;

/// The default of Burn's `LayerNormConfig`, and PyTorch's.
pub(crate) const LAYER_NORM_EPSILON: f64 = 1e-5;

/// A layer of [`Draws::layer_norm`](crate::Draws::layer_norm) applied to the last dimension.
pub(crate) fn layer_norm<const D: usize>(layer: &LayerNorm, x: Tensor<D>) -> Tensor<D> {
    nn::layer_norm(layer, x, LAYER_NORM_EPSILON)
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
        let x: Vec<f32> = (0..12).map(|i| (i as f32).sin() * 3e-3).collect();
        let x = Tensor::<2>::from_data(TensorData::new(x, [3, 4]), &device);
        let layer = Draws::new(1, &device).layer_norm(4);
        let difference = layer_norm(&layer, x.clone()) - layer.forward(x);
        for difference in values(difference.abs().flatten(0, 1)) {
            assert!(difference < 1e-6, "{difference}");
        }
    }
}
