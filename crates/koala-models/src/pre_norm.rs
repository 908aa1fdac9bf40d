//! Transformer blocks that are normalised before each part, for texts and images.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use koala_ops::{Activation, Sight, gelu, nn};

use crate::attention::Attention;
use crate::layers::layer_norm;
use crate::{Draws, Masks};

/// Standard deviation of most initial weights.
pub(crate) const DEVIATION: f64 = 0.02;

/// What its blocks have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PreNormForm {
    pub width: usize,
    pub heads: usize,
    pub layers: usize,
    pub dropout: f64,
}

/// One block of a transformer, normalised before each part:
///
/// ```text
/// y = x + dropout(attention(norm_1(x)))
/// z = y + dropout(W_2 GELU(W_1 norm_2(y)))
/// ```
#[derive(Module, Debug)]
pub struct PreNormBlock {
    attention_norm: LayerNorm,
    attention: Attention,
    hidden_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    dropout: f64,
}

impl PreNormBlock {
    /// A block with the initial weights of GPT-2's: from N(0, 0.02^2), those that are added to the residual stream from
    /// N(0, 0.02^2/(2 layers)), biases 0.
    pub(crate) fn new(form: PreNormForm, draws: &mut Draws) -> Self {
        let width = form.width;
        // What is added to the residual stream is scaled down by the number of additions.
        let added = DEVIATION / (2.0 * form.layers as f64).sqrt();
        let input = draws.linear_normal(width, 3 * width, DEVIATION);
        let output = draws.linear_normal(width, width, added);
        Self {
            attention_norm: draws.layer_norm(width),
            attention: Attention::new(input, output, form.heads, form.dropout),
            hidden_norm: draws.layer_norm(width),
            expand: draws.linear_normal(width, 4 * width, DEVIATION),
            contract: draws.linear_normal(4 * width, width, added),
            dropout: form.dropout,
        }
    }

    /// `[batch, time, width]` to the same.
    pub(crate) fn forward(&self, x: Tensor<3>, sight: Sight, masks: &mut Masks) -> Tensor<3> {
        let normal = layer_norm(&self.attention_norm, x.clone());
        let attended = self.attention.forward(normal, sight, masks);
        let y = masks.add(self.dropout, x, attended);
        let normal = layer_norm(&self.hidden_norm, y.clone());
        let hidden = gelu(nn::linear(&self.expand, normal, Activation::Identity));
        let changed = nn::linear(&self.contract, hidden, Activation::Identity);
        masks.add(self.dropout, y, changed)
    }

    /// Checks that the weights are from N(0, deviation^2), and those that are added to the residual stream from
    /// N(0, added^2).
    #[cfg(test)]
    pub(crate) fn check_weights(&self, deviation: f64, added: f64) {
        use crate::testing::check_normal;

        let [input, output] = self.attention.layers();
        check_normal(&input.weight.val(), deviation);
        check_normal(&self.expand.weight.val(), deviation);
        check_normal(&output.weight.val(), added);
        check_normal(&self.contract.weight.val(), added);
    }
}
