//! Pieces of tensors: the unit of parallel work. Their size is fixed, so that sums do not depend on the threads.

use std::iter::repeat_with;

use rayon::prelude::*;

/// Elements in a piece: small enough for a core's cache, large enough to be worth a task.
pub const PIECE: usize = 32 * 1024;

/// One piece of one tensor, its gradient and its memory (each empty where there is none).
pub(super) struct Piece<'a, F> {
    pub tensor: usize,
    pub parameters: &'a mut [F],
    pub gradients: &'a [F],
    pub first: &'a mut [F],
    pub second: &'a mut [F],
}

/// The pieces of one tensor, appended to `pieces`.
pub(super) fn cut<'a, F>(
    pieces: &mut Vec<Piece<'a, F>>,
    tensor: usize,
    parameters: &'a mut [F],
    gradients: &'a [F],
    first: &'a mut [F],
    second: &'a mut [F],
) {
    let gradients = gradients.chunks(PIECE).chain(repeat_with(|| &[][..]));
    let first = first.chunks_mut(PIECE).chain(repeat_with(|| &mut [][..]));
    let second = second.chunks_mut(PIECE).chain(repeat_with(|| &mut [][..]));
    let rows = parameters
        .chunks_mut(PIECE)
        .zip(gradients)
        .zip(first)
        .zip(second);
    pieces.extend(
        rows.map(|(((parameters, gradients), first), second)| Piece {
            tensor,
            parameters,
            gradients,
            first,
            second,
        }),
    );
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
