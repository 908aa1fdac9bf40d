//! Batches made beside the training step.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use super::Task;

/// Batches that are ready or in the making while a step trains on another.
const AHEAD: usize = 3;

/// The batches of a run from a position on, in order. They are made by a thread of its own; since each is a pure function of
/// its place, they are the same as if they were made when they are needed.
pub(super) struct Loader<B> {
    batches: Receiver<B>,
}

impl<B: Send> Loader<B> {
    /// Starts with batch `index` of epoch `epoch`, up to the end of the last epoch. The thread ends when the loader is
    /// dropped.
    pub fn start<'scope, 'env, M, T>(
        scope: &'scope Scope<'scope, 'env>,
        task: &'env T,
        epochs: usize,
        mut epoch: usize,
        mut index: usize,
    ) -> Self
    where
        T: Task<M, Batch = B>,
        B: 'scope,
    {
        // One batch is in the thread's hands, waiting for its place.
        let (sender, batches) = sync_channel(AHEAD - 1);
        scope.spawn(move || {
            while epoch < epochs && task.batches() > 0 {
                let drawn = task.epoch(epoch);
                while index < task.batches() {
                    if sender.send(task.batch(&drawn, epoch, index)).is_err() {
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
