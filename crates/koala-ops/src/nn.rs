//! Burn's own layers through the fused operations: parameters, names and stored weights stay as they are.

use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, LayerNorm, Linear, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, MaxPoolOptions};

use crate::{Activation, Then};

/// `layer.forward(input)`, then the activation.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn linear<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    crate::linear(input, layer.weight.val(), bias, activation)
}

/// `layer.forward(input)`. A layer whose padding is to keep the size of its input computes it itself.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn conv2d(layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    let Some([rows, columns]) = padding(&layer.padding) else {
        return layer.forward(input);
    };
    let options =
        ConvOptions::new_with_padding(layer.stride, [rows, columns], layer.dilation, layer.groups);
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    crate::conv2d(input, layer.weight.val(), bias, options)
}

/// `layer.forward(input)`.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn conv_transpose2d(layer: &ConvTranspose2d, input: Tensor<4>) -> Tensor<4> {
    let options = ConvTransposeOptions::new(
        layer.stride,
        layer.padding,
        layer.padding_out,
        layer.dilation,
        layer.groups,
    );
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    crate::conv_transpose2d(input, layer.weight.val(), bias, options)
}

/// `layer.forward(input)`.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn max_pool2d(layer: &MaxPool2d, input: Tensor<4>) -> Tensor<4> {
    let Some([rows, columns]) = padding(&layer.padding) else {
        return layer.forward(input);
    };
    let options = MaxPoolOptions::new(layer.kernel_size)
        .with_stride(layer.stride)
        .with_padding_pairs([rows, columns])
        .with_dilation(layer.dilation)
        .with_ceil_mode(layer.ceil_mode);
    crate::max_pool2d(input, options)
}

/// `layer.forward(input)`, then what is to follow. In training it counts the batch in the layer's running statistics, as the
/// layer does.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn batch_norm<const D: usize>(layer: &BatchNorm, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
    let device = input.device();
    let (gamma, beta) = (layer.gamma.val(), layer.beta.val());
    if !(device.is_autodiff() && layer.training.is_enabled()) {
        let running = [&layer.running_mean, &layer.running_var];
        let running = running.map(|state| state.value().to_device(&device));
        return crate::batch_norm(input, [gamma, beta], running, layer.epsilon, then);
    }
    let found = crate::batch_norm_train(input, gamma, beta, layer.epsilon, then);
    let counted = [
        (&layer.running_mean, found.mean),
        (&layer.running_var, found.variance),
    ];
    for (state, of_batch) in counted {
        let before = state.value_sync().to_device(&device);
        let before = before.mul_scalar(1.0 - layer.momentum);
        let next = before.add(of_batch.detach().mul_scalar(layer.momentum));
        state.update(next.detach());
    }
    found.output
}

/// `layer.forward(input)`, of a layer with this epsilon, which it has but does not show.
///
/// # Panics
///
/// As the layer's own `forward`.
pub fn layer_norm<const D: usize>(layer: &LayerNorm, input: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let beta = layer.beta.as_ref().map(|beta| beta.val());
    crate::layer_norm(input, layer.gamma.val(), beta, epsilon)
}

/// Padding before and after, of rows and columns; `None` where the layer finds it from the size of its input.
fn padding(padding: &PaddingConfig2d) -> Option<[(usize, usize); 2]> {
    match *padding {
        PaddingConfig2d::Same => None,
        PaddingConfig2d::Valid => Some([(0, 0); 2]),
        PaddingConfig2d::Explicit(top, left, bottom, right) => Some([(top, bottom), (left, right)]),
    }
}
