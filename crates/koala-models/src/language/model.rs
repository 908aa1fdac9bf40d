//! What a training loop asks of a language model.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use crate::Masks;

/// A network that gives every token of the vocabulary a score as the next one, at each position of a window of text.
///
/// A text is read in windows that follow each other. What the network remembers goes from one to the next as its state,
/// and gradients do not (truncated back-propagation through time).
pub trait LanguageModel: Module + 'static {
    /// What it remembers of the windows before.
    type State: Clone + std::fmt::Debug;

    /// The state at the beginning of `batch` texts.
    fn start(&self, batch: usize) -> Self::State;

    /// Scores before the softmax, `[batch, time, vocabulary]`, of tokens, `[batch, time]`, and the state after them, without
    /// gradients. Position t has seen the tokens up to t and predicts token t + 1. Every token must be below the size of
    /// the vocabulary.
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        state: Self::State,
        masks: &mut Masks,
    ) -> (Tensor<3>, Self::State);

    /// The state as tensors, for a checkpoint.
    fn state_tensors(state: &Self::State) -> Vec<Tensor<2>>;

    /// The state of these tensors; nothing if there are too many or too few.
    fn state_of(&self, tensors: Vec<Tensor<2>>) -> Option<Self::State>;

    /// Tokens of the longest window it tells positions apart in; nothing if there is no such limit.
    fn longest_window(&self) -> Option<usize> {
        None
    }
}
