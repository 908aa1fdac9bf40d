//! Pieces of tensors: the unit of parallel work. Their size is fixed, so that sums do not depend on the threads.

use std::cell::Cell;

use rayon::prelude::*;

use super::lent::{Lent, Piece};

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

/// What `work` makes of each tensor, given its index here, in `found`, one a tensor: where it has several pieces, `add` adds what
/// was made of them up, in order. In parallel where there is enough of it.
pub(super) fn run<F: Send + Sync, R: Send>(
    tensors: &mut [Lent<'_, F>],
    found: &mut [R],
    work: impl Fn(usize, Piece<'_, F>) -> R + Sync + Send,
    add: impl Fn(&mut R, R) + Sync + Send,
) {
    let at_once = at_once(tensors);
    let one = |(at, (tensor, found)): (usize, (&mut Lent<'_, F>, &mut R))| {
        if tensor.parameters.len() <= PIECE {
            *found = work(at, tensor.whole());
            return;
        }
        let pieces = tensor.pieces();
        let work = |piece| work(at, piece);
        let parts: Vec<R> = match at_once {
            None => pieces.into_iter().map(work).collect(),
            Some(_) => pieces.into_par_iter().map(work).collect(),
        };
        let sum = parts.into_iter().reduce(|mut sum, part| {
            add(&mut sum, part);
            sum
        });
        if let Some(sum) = sum {
            *found = sum;
        }
    };
    match at_once {
        None => tensors.iter_mut().zip(found).enumerate().for_each(one),
        Some(at_once) => tensors
            .par_iter_mut()
            .zip(found)
            .enumerate()
            .with_min_len(at_once)
            .for_each(one),
    }
}

/// Does `work` on every piece of every tensor, the last one first: those that were read last are in the processor's cache still.
pub(super) fn run_backwards<F: Send + Sync>(
    tensors: &mut [Lent<'_, F>],
    work: impl Fn(Piece<'_, F>) + Sync + Send,
) {
    let at_once = at_once(tensors);
    let one = |tensor: &mut Lent<'_, F>| {
        if tensor.parameters.len() <= PIECE {
            return work(tensor.whole());
        }
        let pieces = tensor.pieces();
        match at_once {
            None => pieces.into_iter().rev().for_each(&work),
            Some(_) => pieces.into_par_iter().rev().for_each(&work),
        }
    };
    match at_once {
        None => tensors.iter_mut().rev().for_each(one),
        Some(at_once) => tensors
            .par_iter_mut()
            .rev()
            .with_min_len(at_once)
            .for_each(one),
    }
}

/// How many tensors are worth a task, as many as have a piece's elements; `None` where one thread does them all.
fn at_once<F>(tensors: &[Lent<'_, F>]) -> Option<usize> {
    let elements: usize = tensors.iter().map(|tensor| tensor.parameters.len()).sum();
    let shared = elements > PIECE && !ALONE.get();
    shared.then(|| (tensors.len() * PIECE).div_ceil(elements))
}
