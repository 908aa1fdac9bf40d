//! A language model of LSTM layers.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, module::embedding};
use serde::{Deserialize, Serialize};

use super::tied::tied_scores;
use super::{LanguageModel, LstmLayer, LstmState};
use crate::spec_error::{SpecError, counts, dropout};
use crate::{Draws, Masks};

/// Options of an LSTM language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LstmSpec {
    /// Number of different tokens; not part of a configuration, since the text decides it.
    #[serde(skip)]
    pub vocabulary: usize,
    /// Size of embedding, hidden state and cell. Default 200; the large model has 1500.
    pub hidden: usize,
    /// Number of layers. Default 2.
    pub layers: usize,
    /// Share of the values that are dropped of the embedding, between layers, and of the last layer's output. Default 0.65.
    pub dropout: f64,
}

impl LstmSpec {
    /// Whether every option but the vocabulary can be.
    pub fn check(&self) -> Result<(), SpecError> {
        counts(&[("hidden", self.hidden), ("layers", self.layers)])?;
        dropout(self.dropout)
    }

    /// The defaults for a vocabulary.
    pub fn new(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            hidden: 200,
            layers: 2,
            dropout: 0.65,
        }
    }
}

/// The LSTM language model of PyTorch's word language model example with tied weights: the embedding is the decoder's
/// matrix too.
///
/// Initialised as there: embedding from U(-0.1, 0.1), decoder's bias 0, LSTM from U(-k, k) with k = 1/sqrt(hidden).
#[derive(Module, Debug)]
pub struct LstmModel {
    /// `[vocabulary, hidden]`.
    embedding: Param<Tensor<2>>,
    layers: Vec<LstmLayer>,
    /// `[vocabulary]`.
    bias: Param<Tensor<1>>,
    dropout: f64,
}

impl LstmModel {
    /// The network with its initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if an option cannot be.
    pub fn new(spec: &LstmSpec, draws: &mut Draws) -> Result<Self, SpecError> {
        counts(&[("vocabulary", spec.vocabulary)])?;
        spec.check()?;
        Ok(Self {
            embedding: draws.uniform([spec.vocabulary, spec.hidden], 0.1),
            layers: (0..spec.layers)
                .map(|_| LstmLayer::new(spec.hidden, spec.hidden, draws))
                .collect(),
            bias: draws.zeros([spec.vocabulary]),
            dropout: spec.dropout,
        })
    }
}

impl LanguageModel for LstmModel {
    /// One of each layer.
    type State = Vec<LstmState>;

    fn start(&self, batch: usize) -> Self::State {
        self.layers.iter().map(|layer| layer.start(batch)).collect()
    }

    fn state_tensors(state: &Self::State) -> Vec<Tensor<2>> {
        let parts = |layer: &LstmState| [layer.hidden.clone(), layer.cell.clone()];
        state.iter().flat_map(parts).collect()
    }

    fn state_of(&self, tensors: Vec<Tensor<2>>) -> Option<Self::State> {
        let whole = tensors.len() == 2 * self.layers.len();
        let mut tensors = tensors.into_iter();
        let mut state = Vec::with_capacity(self.layers.len());
        while let (Some(hidden), Some(cell)) = (tensors.next(), tensors.next()) {
            state.push(LstmState { hidden, cell });
        }
        whole.then_some(state)
    }

    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        state: Self::State,
        masks: &mut Masks,
    ) -> (Tensor<3>, Self::State) {
        let weight = self.embedding.val();
        let mut x = masks.apply(self.dropout, embedding(weight.clone(), tokens.transpose()));
        let mut after = Vec::with_capacity(state.len());
        for (layer, state) in self.layers.iter().zip(state) {
            let (output, state) = layer.forward(x, state);
            after.push(state.detach());
            x = masks.apply(self.dropout, output);
        }
        let scores = tied_scores(x.swap_dims(0, 1), weight, Some(self.bias.val()));
        (scores, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::{self, token_losses, tokens};
    use crate::testing;
    use crate::trainable_parameters;
    use burn::tensor::Device;

    fn tiny(device: &Device) -> LstmModel {
        let spec = LstmSpec {
            hidden: 8,
            dropout: 0.1,
            ..LstmSpec::new(11)
        };
        LstmModel::new(&spec, &mut Draws::new(1, device)).unwrap()
    }

    #[test]
    fn parameters_are_as_many_as_pytorchs() {
        let device = Device::flex().autodiff();
        // Vocabulary of the Penn Treebank.
        for (hidden, expected) in [(200, 2_653_200), (1500, 51_034_000)] {
            let spec = LstmSpec {
                hidden,
                ..LstmSpec::new(10_000)
            };
            let model = LstmModel::new(&spec, &mut Draws::new(0, &device)).unwrap();
            assert_eq!(trainable_parameters(&model), expected);
        }
    }

    #[test]
    fn weights_have_the_statistics_of_pytorchs() {
        let model =
            LstmModel::new(&LstmSpec::new(50), &mut Draws::new(5, &Device::flex())).unwrap();
        testing::check_uniform(&model.embedding.val(), 0.1);
        for layer in &model.layers {
            for values in layer.values() {
                testing::check_uniform(&values, 1.0 / 200.0f64.sqrt());
            }
        }
        assert_eq!(model.bias.val().abs().max().into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn training_lowers_the_loss() {
        let device = Device::flex().autodiff();
        let (input, target) = tokens([4, 6], 11, &device);
        learning::falls(tiny(&device), 40, [1.0, 1.0], |model| {
            let mut masks = Masks::new(3, 0);
            let (scores, _) = model.forward(input.clone(), model.start(4), &mut masks);
            token_losses(scores, target.clone())
        });
    }

    #[test]
    fn two_windows_are_one_with_the_state_carried() {
        let device = Device::flex();
        let model = tiny(&device);
        let (input, _) = tokens([3, 6], 11, &device);
        let off = &mut Masks::off();
        let (whole, _) = model.forward(input.clone(), model.start(3), off);
        let (first, state) = model.forward(input.clone().narrow(1, 0, 2), model.start(3), off);
        let (second, _) = model.forward(input.narrow(1, 2, 4), state, off);
        let parts = Tensor::cat(vec![first, second], 1);
        assert!((whole - parts).abs().max().into_scalar::<f32>() < 1e-6);
    }

    #[test]
    fn no_gradient_goes_into_the_window_before() {
        let device = Device::flex().autodiff();
        let model = tiny(&device);
        let (input, target) = tokens([2, 6], 11, &device);
        let off = &mut Masks::off();
        let gradient = |state| {
            let (scores, _) = model.forward(input.clone(), state, &mut Masks::off());
            let gradients = token_losses(scores, target.clone()).mean().backward();
            model.embedding.val().grad(&gradients).unwrap().into_data()
        };
        let (_, carried) = model.forward(input.clone(), model.start(2), off);
        let cut: Vec<LstmState> = carried
            .iter()
            .map(|state| LstmState {
                hidden: Tensor::from_data(state.hidden.to_data(), &device),
                cell: Tensor::from_data(state.cell.to_data(), &device),
            })
            .collect();
        assert_eq!(gradient(carried), gradient(cut));
    }

    #[test]
    fn options_that_cannot_be_are_errors() {
        let device = Device::flex();
        let fault = |spec: LstmSpec| {
            LstmModel::new(&spec, &mut Draws::new(0, &device))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            fault(LstmSpec::new(0)),
            "vocabulary: must be between 1 and 1048576, not 0"
        );
        let spec = LstmSpec {
            dropout: 1.0,
            ..LstmSpec::new(5)
        };
        assert_eq!(fault(spec), "dropout: must be in [0, 1), not 1");
    }
}
