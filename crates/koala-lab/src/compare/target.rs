//! How many steps an optimizer needs to bring the training loss down to a target.

use std::collections::VecDeque;

use crate::Error;
use crate::training::{Event, Observer};

/// Watches a run for the first step at which the mean loss of the last [`WINDOW`](StepsToTarget::WINDOW) batches is at
/// most the target. A mean over several batches, since a single one may be low by chance.
#[derive(Debug, Clone)]
pub struct StepsToTarget {
    target: f64,
    window: VecDeque<f64>,
    reached: Option<u64>,
}

impl StepsToTarget {
    /// Batches in the mean.
    pub const WINDOW: usize = 20;

    /// Watches for this loss, in nats.
    pub fn new(target: f64) -> Self {
        Self {
            target,
            window: VecDeque::with_capacity(Self::WINDOW),
            reached: None,
        }
    }

    /// Steps that were done when the target was reached; nothing if it never was.
    pub fn reached(&self) -> Option<u64> {
        self.reached
    }

    fn met(&mut self, step: u64, loss: f64) {
        if self.window.len() == Self::WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(loss);
        let mean = self.window.iter().sum::<f64>() / Self::WINDOW as f64;
        if self.reached.is_none() && self.window.len() == Self::WINDOW && mean <= self.target {
            self.reached = Some(step + 1);
        }
    }
}

impl Observer for StepsToTarget {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        if let Event::Step(step) = event {
            self.met(step.step, step.loss);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_the_window_counts_and_the_first_time() {
        let mut watch = StepsToTarget::new(0.5);
        for step in 0..30 {
            watch.met(step, if step < 15 { 1.0 } else { 0.0 });
        }
        assert_eq!(watch.reached(), Some(25));
        for step in 30..90 {
            watch.met(step, 1.0);
        }
        assert_eq!(watch.reached(), Some(25));
    }

    #[test]
    fn a_loss_that_is_not_a_number_reaches_nothing() {
        let mut watch = StepsToTarget::new(0.5);
        for step in 0..40 {
            watch.met(step, f64::NAN);
        }
        assert_eq!(watch.reached(), None);
    }
}
