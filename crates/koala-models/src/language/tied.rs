//! The embedding as the decoder's matrix too.

use burn::tensor::Tensor;
use koala_ops::{Activation, linear};

/// Scores of hidden values, `[batch, time, width]`, by the embedding, `[vocabulary, width]`, and a bias if there is one:
/// `[batch, time, vocabulary]`.
pub(super) fn tied_scores(
    hidden: Tensor<3>,
    embedding: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<3> {
    linear(hidden, embedding.transpose(), bias, Activation::Identity)
}
