//! Pieces of tensors: the unit of parallel work. Their size is fixed, so that sums do not depend on the threads.

use std::cell::Cell;
use std::mem::take;

use rayon::prelude::*;

use super::lent::Lent;
use crate::demands::SLOTS;

/// Elements in a piece: small enough for a core's cache, large enough to be worth a task.
pub const PIECE: usize = 32 * 1024;

thread_local! {
    /// Whether this thread does all pieces itself.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, whose passes are then done by this thread, without a thread pool: for whoever wants one thread, it saves the
/// way to another one and back.
pub fn on_this_thread<R>(work: impl FnOnce() -> R) -> R {
    /// Puts it back, also if `work` panics.
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _back = Back(ALONE.replace(true));
    work()
}

/// One piece of one tensor, its gradient and its memory (each empty where there is none).
pub(super) struct Piece<'a, F> {
    /// Which of the tensors that were cut.
    pub tensor: usize,
    pub parameters: &'a mut [F],
    pub gradients: &'a [F],
    pub memory: [&'a mut [F]; SLOTS],
}

impl<F> Piece<'_, F> {
    /// The memory, to be read.
    pub fn read(&self) -> [&[F]; SLOTS] {
        self.memory.each_ref().map(|memory| &**memory)
    }
}

/// The pieces of all tensors, in order; each knows the index of its tensor in `tensors`.
pub(super) fn cut<F>(tensors: Vec<Lent<'_, F>>) -> Vec<Piece<'_, F>> {
    let mut pieces = Vec::new();
    for (index, tensor) in tensors.into_iter().enumerate() {
        let mut gradients = tensor.gradients;
        let mut memory = tensor.memory;
        pieces.extend(tensor.parameters.chunks_mut(PIECE).map(|parameters| {
            let length = parameters.len();
            let (gradient, rest) = gradients.split_at(length.min(gradients.len()));
            gradients = rest;
            Piece {
                tensor: index,
                parameters,
                gradients: gradient,
                memory: memory.each_mut().map(|memory| {
                    let all = take(memory);
                    let (part, rest) = all.split_at_mut(length.min(all.len()));
                    *memory = rest;
                    part
                }),
            }
        }));
    }
    pieces
}

/// Runs `work` on every piece, in parallel where there is enough of it; results in the pieces' order.
pub(super) fn run<'a, F: Send + Sync, R: Send>(
    pieces: Vec<Piece<'a, F>>,
    work: impl Fn(Piece<'a, F>) -> R + Sync + Send,
) -> Vec<R> {
    let elements: usize = pieces.iter().map(|piece| piece.parameters.len()).sum();
    if elements <= PIECE || ALONE.get() {
        pieces.into_iter().map(work).collect()
    } else {
        pieces.into_par_iter().map(work).collect()
    }
}
