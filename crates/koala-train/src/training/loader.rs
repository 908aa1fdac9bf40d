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

#[cfg(test)]
mod tests {
    use super::super::testing::Paced;
    use super::*;
    use koala_data::{HostBatch, digits};
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    const EPOCHS: usize = 3;

    /// All batches from a place on, taken from a loader.
    fn loaded(task: &Paced<'_>, epoch: usize, index: usize) -> Vec<HostBatch> {
        std::thread::scope(|scope| {
            let mut loader = Loader::start(scope, task, EPOCHS, epoch, index);
            std::iter::from_fn(|| loader.next()).collect()
        })
    }

    /// The same, made when they are needed.
    fn made(task: &Paced<'_>, epoch: usize, index: usize) -> Vec<HostBatch> {
        let mut all = Vec::new();
        for at in epoch..EPOCHS {
            let drawn = task.epoch(at);
            let from = if at == epoch { index } else { 0 };
            let rest = from..task.batches();
            all.extend(rest.map(|index| task.batch(&drawn, at, index)));
        }
        all
    }

    #[test]
    fn batches_are_those_that_would_be_made_without_it() {
        let split = digits().unwrap();
        let task = Paced::new(&split, Duration::ZERO);
        let per_epoch = task.batches();
        assert_eq!(per_epoch, 7);
        let all = loaded(&task, 0, 0);
        assert_eq!(all.len(), EPOCHS * per_epoch);
        for (epoch, index) in [(0, 0), (0, 3), (1, 0), (2, 6), (2, 7), (3, 0)] {
            let found = loaded(&task, epoch, index);
            assert_eq!(found, made(&task, epoch, index));
            assert_eq!(found, all[epoch * per_epoch + index..]);
        }
        // Batches are in different orders and differently augmented in each epoch.
        assert_ne!(all[0], all[per_epoch]);
    }

    #[test]
    fn it_works_ahead_only_so_far_and_ends_when_it_is_dropped() {
        let split = digits().unwrap();
        let task = Paced::new(&split, Duration::from_millis(1));
        std::thread::scope(|scope| {
            let mut loader = Loader::start(scope, &task, 1_000_000, 0, 0);
            loader.next().unwrap();
            std::thread::sleep(Duration::from_millis(100));
            let made = task.made.load(Ordering::SeqCst);
            assert!((2..=1 + AHEAD).contains(&made), "{made}");
            // The scope waits for the thread, which would have years to go.
        });
        assert!(task.made.load(Ordering::SeqCst) <= 2 + AHEAD);
    }
}
