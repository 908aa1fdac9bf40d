//! Attention of Burn's own operations.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::Sight;
use crate::{DropoutMask, dropout};

/// What [`attention`](super::attention) does.
pub(super) fn composed(
    packed: Tensor<3>,
    heads: usize,
    sight: Sight,
    mask: Option<&DropoutMask>,
) -> Tensor<3> {
    let [batch, time, columns] = packed.dims();
    let width = columns / 3;
    let size = width / heads;
    // [batch, heads, time, size]
    let part = |n: usize| {
        packed
            .clone()
            .narrow(2, n * width, width)
            .reshape([batch, time, heads, size])
            .swap_dims(1, 2)
    };
    let scores = part(0).matmul(part(1).transpose()) * (1.0 / (size as f64).sqrt());
    let scores = match sight {
        Sight::Before => scores + causal_mask(time, &packed.device()),
        Sight::All => scores,
    };
    let probabilities = softmax(scores, 3);
    let probabilities = match mask {
        Some(mask) => dropout(probabilities, mask),
        None => probabilities,
    };
    let mixed = probabilities.matmul(part(2)).swap_dims(1, 2);
    mixed.reshape([batch, time, width])
}

/// `[1, 1, time, time]`: minus infinity where a position would see one after it, else 0.
fn causal_mask(time: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = (0..time * time)
        .map(|i| {
            if i % time > i / time {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [1, 1, time, time]), device)
}
