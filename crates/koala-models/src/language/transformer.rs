//! A language model of transformer encoder layers.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Int, Tensor, TensorData, module::embedding};
use koala_ops::{Activation, Sight, nn};
use serde::{Deserialize, Serialize};

use super::WindowModel;
use crate::attention::Attention;
use crate::layers::layer_norm;
use crate::spec_error::{SpecError, counts, dropout, heads};
use crate::{Draws, Masks};

/// Options of a transformer language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerSpec {
    /// Number of different tokens; not part of a configuration, since the text decides it.
    #[serde(skip)]
    pub vocabulary: usize,
    /// Size of the embedding. Default 200.
    pub width: usize,
    /// Heads of attention; they share the width evenly. Default 2.
    pub heads: usize,
    /// Size of the hidden layer after each attention. Default 200.
    pub hidden: usize,
    /// Number of layers. Default 2.
    pub layers: usize,
    /// Share of the values that are dropped. Default 0.2.
    pub dropout: f64,
}

impl TransformerSpec {
    /// Whether every option but the vocabulary can be.
    pub fn check(&self) -> Result<(), SpecError> {
        counts(&[
            ("width", self.width),
            ("heads", self.heads),
            ("hidden", self.hidden),
            ("layers", self.layers),
        ])?;
        dropout(self.dropout)?;
        heads(self.heads, self.width)
    }

    /// The defaults for a vocabulary.
    pub fn new(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            width: 200,
            heads: 2,
            hidden: 200,
            layers: 2,
            dropout: 0.2,
        }
    }
}

/// One layer of `torch.nn.TransformerEncoder`, normalised after each part:
///
/// ```text
/// y = norm_1(x + dropout(attention(x)))
/// z = norm_2(y + dropout(W_2 dropout(ReLU(W_1 y))))
/// ```
#[derive(Module, Debug)]
pub struct EncoderLayer {
    attention: Attention,
    attention_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    output_norm: LayerNorm,
    dropout: f64,
}

impl EncoderLayer {
    fn new(spec: &TransformerSpec, draws: &mut Draws) -> Self {
        let width = spec.width;
        // As `torch.nn.MultiheadAttention`: Xavier's uniform distribution, the output as `torch.nn.Linear`, biases 0.
        let input = draws.linear_uniform(width, 3 * width, (6.0 / (4 * width) as f64).sqrt());
        let output = draws.linear_uniform(width, width, 1.0 / (width as f64).sqrt());
        Self {
            attention: Attention::new(input, output, spec.heads, spec.dropout),
            attention_norm: draws.layer_norm(width),
            expand: draws.linear(width, spec.hidden),
            contract: draws.linear(spec.hidden, width),
            output_norm: draws.layer_norm(width),
            dropout: spec.dropout,
        }
    }

    fn forward(&self, x: Tensor<3>, masks: &mut Masks) -> Tensor<3> {
        let attended = self.attention.forward(x.clone(), Sight::Before, masks);
        let y = masks.add(self.dropout, x, attended);
        let y = layer_norm(&self.attention_norm, y);
        let hidden = nn::linear(&self.expand, y.clone(), Activation::Relu);
        let hidden = masks.apply(self.dropout, hidden);
        let changed = nn::linear(&self.contract, hidden, Activation::Identity);
        layer_norm(&self.output_norm, masks.add(self.dropout, y, changed))
    }
}

/// The transformer of PyTorch's word language model example, as it was when the KOALA paper was written (no normalisation
/// after the last layer, one share of dropout for all): embedding times sqrt(width), sines and cosines of the position,
/// encoder layers that see no later token, a decoder of its own.
///
/// Initialised as there: embedding and decoder from U(-0.1, 0.1), decoder's bias 0, layers with PyTorch's defaults, but
/// each layer drawn by itself (PyTorch starts all layers as copies of one).
#[derive(Module, Debug)]
pub struct TransformerModel {
    /// `[vocabulary, width]`.
    embedding: Param<Tensor<2>>,
    layers: Vec<EncoderLayer>,
    output: Linear,
    dropout: f64,
}

impl TransformerModel {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be.
    pub fn new(spec: &TransformerSpec, draws: &mut Draws) -> Result<Self, SpecError> {
        counts(&[("vocabulary", spec.vocabulary)])?;
        spec.check()?;
        Ok(Self {
            embedding: draws.uniform([spec.vocabulary, spec.width], 0.1),
            layers: (0..spec.layers)
                .map(|_| EncoderLayer::new(spec, draws))
                .collect(),
            output: draws.linear_uniform(spec.width, spec.vocabulary, 0.1),
            dropout: spec.dropout,
        })
    }
}

impl WindowModel for TransformerModel {
    fn scores(&self, tokens: Tensor<2, Int>, masks: &mut Masks) -> Tensor<3> {
        let weight = self.embedding.val();
        let (device, time, width) = (weight.device(), tokens.dims()[1], weight.dims()[1]);
        let embedded = embedding(weight, tokens) * (width as f64).sqrt();
        let positions = positions(time, width, &device);
        let x = masks.apply(self.dropout, embedded + positions);
        let x = (self.layers.iter()).fold(x, |x, layer| layer.forward(x, masks));
        nn::linear(&self.output, x, Activation::Identity)
    }
}

/// `[1, time, width]`: sin(t / 10000^(2i/width)) at channel 2i of position t, the cosine at 2i + 1.
fn positions(time: usize, width: usize, device: &Device) -> Tensor<3> {
    let values: Vec<f32> = (0..time * width)
        .map(|n| {
            let (t, channel) = (n / width, n % width);
            let even = (channel - channel % 2) as f64;
            let angle = t as f64 * (-even / width as f64 * 10_000f64.ln()).exp();
            (if channel % 2 == 0 {
                angle.sin()
            } else {
                angle.cos()
            }) as f32
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [1, time, width]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning;
    use crate::testing;
    use crate::trainable_parameters;

    fn tiny(device: &Device) -> TransformerModel {
        let spec = TransformerSpec {
            width: 8,
            hidden: 12,
            dropout: 0.1,
            ..TransformerSpec::new(11)
        };
        TransformerModel::new(&spec, &mut Draws::new(1, device)).unwrap()
    }

    #[test]
    fn parameters_are_as_many_as_pytorchs() {
        let mut draws = Draws::new(0, &Device::flex().autodiff());
        let model = TransformerModel::new(&TransformerSpec::new(10_000), &mut draws).unwrap();
        assert_eq!(trainable_parameters(&model), 4_494_000);
    }

    #[test]
    fn weights_have_the_statistics_of_pytorchs() {
        let mut draws = Draws::new(5, &Device::flex());
        let model = TransformerModel::new(&TransformerSpec::new(50), &mut draws).unwrap();
        testing::check_uniform(&model.embedding.val(), 0.1);
        testing::check_uniform(&model.output.weight.val(), 0.1);
        for layer in &model.layers {
            let [input, output] = layer.attention.layers();
            testing::check_uniform(&input.weight.val(), (6.0f64 / 800.0).sqrt());
            for linear in [output, &layer.expand, &layer.contract] {
                testing::check_uniform(&linear.weight.val(), 1.0 / 200.0f64.sqrt());
            }
        }
    }

    #[test]
    fn training_lowers_the_loss() {
        learning::check_learning(tiny(&Device::flex().autodiff()), 11);
    }

    #[test]
    fn no_position_sees_a_later_one() {
        learning::check_causal(&tiny(&Device::flex()), 11);
    }

    #[test]
    fn heads_must_share_the_width_evenly() {
        let spec = TransformerSpec {
            heads: 3,
            ..TransformerSpec::new(5)
        };
        let error = TransformerModel::new(&spec, &mut Draws::new(0, &Device::flex())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "heads: must divide the width 200, which 3 does not"
        );
    }
}
