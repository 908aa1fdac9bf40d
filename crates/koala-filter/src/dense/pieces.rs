//! Pieces of tensors: the unit of parallel work. Their size is fixed, so that sums do not depend on the threads.

use std::iter::repeat_with;

use rayon::prelude::*;

use super::lent::Lent;

/// Elements in a piece: small enough for a core's cache, large enough to be worth a task.
pub const PIECE: usize = 32 * 1024;

/// One piece of one tensor, its gradient and its memory (each empty where there is none).
pub(super) struct Piece<'a, F> {
    /// Which of the tensors that were cut.
    pub tensor: usize,
    pub parameters: &'a mut [F],
    pub gradients: &'a [F],
    pub first: &'a mut [F],
    pub second: &'a mut [F],
}

/// The pieces of all tensors, in order; each knows the index of its tensor in `tensors`.
pub(super) fn cut<F>(tensors: Vec<Lent<'_, F>>) -> Vec<Piece<'_, F>> {
    let mut pieces = Vec::new();
    for (index, tensor) in tensors.into_iter().enumerate() {
        let gradients = tensor
            .gradients
            .chunks(PIECE)
            .chain(repeat_with(|| &[][..]));
        let first = tensor.first.chunks_mut(PIECE);
        let second = tensor.second.chunks_mut(PIECE);
        let rows = tensor
            .parameters
            .chunks_mut(PIECE)
            .zip(gradients)
            .zip(first.chain(repeat_with(|| &mut [][..])))
            .zip(second.chain(repeat_with(|| &mut [][..])));
        pieces.extend(
            rows.map(|(((parameters, gradients), first), second)| Piece {
                tensor: index,
                parameters,
                gradients,
                first,
                second,
            }),
        );
    }
    pieces
}

/// Runs `work` on every piece, in parallel where there is enough of it; results in the pieces' order.
pub(super) fn run<'a, F: Send + Sync, R: Send>(
    pieces: Vec<Piece<'a, F>>,
    work: impl Fn(Piece<'a, F>) -> R + Sync + Send,
) -> Vec<R> {
    let elements: usize = pieces.iter().map(|piece| piece.parameters.len()).sum();
    if elements <= PIECE {
        pieces.into_iter().map(work).collect()
    } else {
        pieces.into_par_iter().map(work).collect()
    }
}
