//! Attention of positions to each other.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation::softmax};

use crate::Masks;

/// What a position attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Itself and the positions before it: texts.
    Before,
    /// All positions: images.
    All,
}

/// Scaled dot-product attention of several heads.
///
/// A. Vaswani et al.: Attention is all you need, NeurIPS 2017.
#[derive(Module, Debug)]
pub struct Attention {
    /// `[width, 3 width]`: queries, keys and values.
    input: Linear,
    output: Linear,
    heads: usize,
    dropout: f64,
}

impl Attention {
    /// Attention with these weights: `[width, 3 width]` for queries, keys and values side by side, and `[width, width]` for
    /// the output. `heads` must divide the width. `dropout` is the share of the attention that is dropped.
    pub(crate) fn new(input: Linear, output: Linear, heads: usize, dropout: f64) -> Self {
        Self {
            input,
            output,
            heads,
            dropout,
        }
    }

    /// `[batch, time, width]` to the same. `mask`, if there is one, is added to the scores: [`causal_mask`] of this time.
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        mask: Option<Tensor<4>>,
        masks: &mut Masks,
    ) -> Tensor<3> {
        let [batch, time, width] = x.dims();
        let size = width / self.heads;
        let projected = self.input.forward(x);
        // [batch, heads, time, size]
        let part = |n: usize| {
            projected
                .clone()
                .narrow(2, n * width, width)
                .reshape([batch, time, self.heads, size])
                .swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).transpose()) * (1.0 / (size as f64).sqrt());
        let scores = match mask {
            Some(mask) => scores + mask,
            None => scores,
        };
        let attention = masks.apply(self.dropout, softmax(scores, 3));
        let mixed = attention.matmul(part(2)).swap_dims(1, 2);
        self.output.forward(mixed.reshape([batch, time, width]))
    }

    /// Both layers.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> [&Linear; 2] {
        [&self.input, &self.output]
    }
}

/// `x`, `[batch, time, width]`, through one block after the other, each of which `forward` applies under one mask.
pub(crate) fn through<B>(
    blocks: &[B],
    x: Tensor<3>,
    sight: Sight,
    masks: &mut Masks,
    forward: fn(&B, Tensor<3>, Option<Tensor<4>>, &mut Masks) -> Tensor<3>,
) -> Tensor<3> {
    let mask = match sight {
        Sight::Before => Some(causal_mask(x.dims()[1], &x.device())),
        Sight::All => None,
    };
    (blocks.iter()).fold(x, |x, block| forward(block, x, mask.clone(), masks))
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
