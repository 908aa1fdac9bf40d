//! The embedding as the decoder's matrix too.

use burn::tensor::Tensor;

/// Scores of hidden values, `[batch, time, width]`, by the embedding, `[vocabulary, width]`, and a bias if there is one:
/// `[batch, time, vocabulary]`.
pub(super) fn tied_scores(
    hidden: Tensor<3>,
    embedding: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<3> {
    let [batch, time, width] = hidden.dims();
    let vocabulary = embedding.dims()[0];
    let rows = hidden.reshape([batch * time, width]);
    let scores = rows.matmul(embedding.transpose());
    let scores = match bias {
        Some(bias) => scores + bias.unsqueeze(),
        None => scores,
    };
    scores.reshape([batch, time, vocabulary])
}
