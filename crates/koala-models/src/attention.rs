//! Attention of positions to each other.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use koala_ops::{Activation, Sight, attention, nn};

use crate::Masks;

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

    /// `[batch, time, width]` to the same.
    pub(crate) fn forward(&self, x: Tensor<3>, sight: Sight, masks: &mut Masks) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let mask = masks.mask(self.dropout, batch * self.heads * time * time);
        let packed = nn::linear(&self.input, x, Activation::Identity);
        let mixed = attention(packed, self.heads, sight, mask.as_ref());
        nn::linear(&self.output, mixed, Activation::Identity)
    }

    /// Both layers.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> [&Linear; 2] {
        [&self.input, &self.output]
    }
}
