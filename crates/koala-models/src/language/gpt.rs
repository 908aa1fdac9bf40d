//! A small GPT.

use burn::module::{Module, Param};
use burn::nn::LayerNorm;
use burn::tensor::{Int, Tensor, TensorData, module::embedding};
use koala_ops::Sight;
use serde::{Deserialize, Serialize};

use super::WindowModel;
use super::tied::tied_scores;
use crate::layers::layer_norm;
use crate::pre_norm::{DEVIATION, PreNormBlock, PreNormForm};
use crate::spec_error::{SpecError, counts, dropout, heads};
use crate::{Draws, Masks};

/// Options of a GPT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GptSpec {
    /// Number of different tokens; not part of a configuration, since the text decides it.
    #[serde(skip)]
    pub vocabulary: usize,
    /// Tokens of the longest window. Default 64.
    pub context: usize,
    /// Size of the embedding; the hidden layers have four times as much. Default 128.
    pub width: usize,
    /// Heads of attention; they share the width evenly. Default 4.
    pub heads: usize,
    /// Number of blocks. Default 4.
    pub layers: usize,
    /// Share of the values that are dropped. Default 0.1.
    pub dropout: f64,
}

impl GptSpec {
    /// Whether every option but the vocabulary can be.
    pub fn check(&self) -> Result<(), SpecError> {
        counts(&[
            ("context", self.context),
            ("width", self.width),
            ("heads", self.heads),
            ("layers", self.layers),
        ])?;
        dropout(self.dropout)?;
        heads(self.heads, self.width)
    }

    /// The defaults for a vocabulary.
    pub fn new(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            context: 64,
            width: 128,
            heads: 4,
            layers: 4,
            dropout: 0.1,
        }
    }
}

/// A GPT: learned positions, blocks that are normalised before each part, the embedding as the decoder's matrix too.
///
/// Initialised as GPT-2: embeddings and weights from N(0, 0.02^2), those that are added to the residual stream from
/// N(0, 0.02^2/(2 layers)), biases 0.
///
/// A. Radford et al.: Language models are unsupervised multitask learners, 2019.
#[derive(Module, Debug)]
pub struct Gpt {
    /// `[vocabulary, width]`.
    embedding: Param<Tensor<2>>,
    /// `[context, width]`.
    positions: Param<Tensor<2>>,
    blocks: Vec<PreNormBlock>,
    norm: LayerNorm,
    dropout: f64,
}

impl Gpt {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be.
    pub fn new(spec: &GptSpec, draws: &mut Draws) -> Result<Self, SpecError> {
        counts(&[("vocabulary", spec.vocabulary)])?;
        spec.check()?;
        let form = PreNormForm {
            width: spec.width,
            heads: spec.heads,
            layers: spec.layers,
            dropout: spec.dropout,
        };
        Ok(Self {
            embedding: draws.normal([spec.vocabulary, spec.width], DEVIATION),
            positions: draws.normal([spec.context, spec.width], DEVIATION),
            blocks: (0..spec.layers)
                .map(|_| PreNormBlock::new(form, draws))
                .collect(),
            norm: draws.layer_norm(spec.width),
            dropout: spec.dropout,
        })
    }
}

impl WindowModel for Gpt {
    /// Tokens after the longest window share the last position.
    fn scores(&self, tokens: Tensor<2, Int>, masks: &mut Masks) -> Tensor<3> {
        let time = tokens.dims()[1];
        let (weight, positions) = (self.embedding.val(), self.positions.val());
        let last = positions.dims()[0].saturating_sub(1);
        let numbers: Vec<i32> = (0..time).map(|t| t.min(last) as i32).collect();
        let numbers = Tensor::from_data(TensorData::new(numbers, [1, time]), &weight.device());
        let embedded = embedding(weight.clone(), tokens) + embedding(positions, numbers);
        let x = masks.apply(self.dropout, embedded);
        let x = (self.blocks.iter()).fold(x, |x, block| block.forward(x, Sight::Before, masks));
        tied_scores(layer_norm(&self.norm, x), weight, None)
    }

    fn longest_window(&self) -> Option<usize> {
        Some(self.positions.dims()[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::{self, tokens};
    use crate::testing;
    use crate::trainable_parameters;
    use burn::tensor::Device;

    fn tiny(device: &Device) -> Gpt {
        let spec = GptSpec {
            width: 8,
            heads: 2,
            layers: 2,
            context: 6,
            ..GptSpec::new(11)
        };
        Gpt::new(&spec, &mut Draws::new(1, device)).unwrap()
    }

    #[test]
    fn parameters_are_as_many_as_those_of_gpt_2() {
        let device = Device::flex().autodiff();
        let count = |spec: GptSpec| {
            trainable_parameters(&Gpt::new(&spec, &mut Draws::new(0, &device)).unwrap())
        };
        // GPT-2's 124,439,808 with its 50,257 tokens, 1,024 positions and 12 layers; here with fewer of each.
        let gpt_2 = count(GptSpec {
            width: 768,
            heads: 12,
            layers: 1,
            ..GptSpec::new(257)
        });
        assert_eq!(
            gpt_2 + 50_000 * 768 + 960 * 768 + 11 * 7_087_872,
            124_439_808
        );
        assert_eq!(count(GptSpec::new(65)), 809_856);
    }

    #[test]
    fn weights_have_the_statistics_of_gpt_2s() {
        let model = Gpt::new(&GptSpec::new(200), &mut Draws::new(5, &Device::flex())).unwrap();
        testing::check_normal(&model.embedding.val(), 0.02);
        testing::check_normal(&model.positions.val(), 0.02);
        for block in &model.blocks {
            block.check_weights(0.02, 0.02 / 8.0f64.sqrt());
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
    fn longer_windows_do_no_harm() {
        let device = Device::flex();
        let model = tiny(&device);
        assert_eq!(model.longest_window(), Some(6));
        let (input, _) = tokens([1, 9], 11, &device);
        assert_eq!(model.scores(input, &mut Masks::off()).dims(), [1, 9, 11]);
    }
}
