//! Batches made beside the training step.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use super::Batches;

/// Batches that are ready or in the making while a step trains on another.
const AHEAD: usize = 3;

/// The batches of a run from a position on, in order. They are made by a thread of its own; since each is a pure function of
/// its place, they are the same as if they were made when they are needed.
pub(crate) struct Loader<B> {
    batches: Receiver<B>,
}

impl<B: Send> Loader<B> {
    /// Starts with batch `index` of epoch `epoch`, up to the end of the last epoch. The thread ends when the loader is
    /// dropped.
    pub fn start<'scope, 'env, T>(
        scope: &'scope Scope<'scope, 'env>,
        source: &'env T,
        epochs: usize,
        mut epoch: usize,
        mut index: usize,
    ) -> Self
    where
        T: Batches<Batch = B>,
        B: 'scope,
    {
        // One batch is in the thread's hands, waiting for its place.
        let (sender, batches) = sync_channel(AHEAD - 1);
        scope.spawn(move || {
            while epoch < epochs && source.batches() > 0 {
                let drawn = source.epoch(epoch);
                while index < source.batches() {
                    if sender.send(source.batch(&drawn, epoch, index)).is_err() {
                        return;
                    }
                    index += 1;
                }
                index = 0;
                epoch += 1;
            }
        });
        Self { batches }
    }

    /// The next batch; none after the last.
    pub fn next(&mut self) -> Option<B> {
        self.batches.recv().ok()
    }
}
