//! What to train for how long, and who is there.

use koala_filter::Schedule;

use super::{Interrupt, Keeper, Observer};
use crate::Error;

/// What to train for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of dropout.
    pub seed: u64,
    /// Passes over the training samples.
    pub epochs: usize,
    /// Steps in all; the run ends there even in the middle of an epoch.
    pub steps: u64,
    /// Samples (rows of text) that go through the network at once; 0 for the whole batch. The step is the same.
    pub piece: usize,
    /// Steps after which the network is evaluated within an epoch; 0 for the end of each epoch only.
    pub evaluate_every: u64,
    /// Evaluations in a row without a lower loss of held-out samples after which the run ends; 0 for the end of its steps only.
    pub patience: u64,
    /// Factor of gain or learning rate at each step.
    pub schedule: Schedule,
    /// Whether the test samples are met at the end; if they are not, there must be held-out ones.
    pub test: bool,
    /// Losses in a row that may fail to be finite before the run is given up.
    pub missing_limit: u32,
    /// The option that scales the optimizer's steps, for the advice when training diverges.
    pub knob: &'static str,
}

impl Plan {
    /// Losses in a row that were not finite, after one more, of step `step`; too many are an error.
    pub(super) fn missing(&self, before: u32, finite: bool, step: u64) -> Result<u32, Error> {
        let missing = if finite { 0 } else { before.saturating_add(1) };
        if missing < self.missing_limit {
            return Ok(missing);
        }
        Err(Error::Diverged {
            steps: missing,
            step,
            knob: self.knob,
        })
    }
}

/// Who is told, who keeps, and who may stop a run.
pub struct Company<'a> {
    /// Told of every event.
    pub observer: &'a mut dyn Observer,
    /// Keeps checkpoints.
    pub keeper: &'a mut dyn Keeper,
    /// Asks to stop.
    pub interrupt: &'a Interrupt,
}

impl Company<'_> {
    /// The same company, for a while.
    pub(crate) fn lent(&mut self) -> Company<'_> {
        Company {
            observer: &mut *self.observer,
            keeper: &mut *self.keeper,
            interrupt: self.interrupt,
        }
    }
}
