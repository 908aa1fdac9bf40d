//! Language models without a memory.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use super::LanguageModel;
use crate::Masks;

/// A [`LanguageModel`] that sees the window before it and remembers nothing of the windows before that.
pub trait WindowModel: Module + 'static {
    /// Scores before the softmax, `[batch, time, vocabulary]`, of tokens, `[batch, time]`, as [`LanguageModel::forward`]
    /// gives them.
    fn scores(&self, tokens: Tensor<2, Int>, masks: &mut Masks) -> Tensor<3>;

    /// As [`LanguageModel::longest_window`].
    fn longest_window(&self) -> Option<usize> {
        None
    }
}

impl<M: WindowModel> LanguageModel for M {
    type State = ();

    fn start(&self, _batch: usize) {}

    fn forward(&self, tokens: Tensor<2, Int>, (): (), masks: &mut Masks) -> (Tensor<3>, ()) {
        (self.scores(tokens, masks), ())
    }

    fn state_tensors((): &()) -> Vec<Tensor<2>> {
        Vec::new()
    }

    fn state_of(&self, tensors: Vec<Tensor<2>>) -> Option<()> {
        tensors.is_empty().then_some(())
    }

    fn longest_window(&self) -> Option<usize> {
        WindowModel::longest_window(self)
    }
}
