//! Stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, 2018).

use burn::module::Module;
use koala_models::blend;
use koala_models::stored::StateError;

use super::record;

const NAME: &str = "swa";

/// The equal average of the weights at the ends of some epochs.
///
/// Running statistics of batch normalisation are averaged with them, but are not those of the average: find them anew
/// with [`recompute_statistics`](super::recompute_statistics) before it is evaluated.
#[derive(Debug, Clone)]
pub struct Swa<M> {
    start: u64,
    every: u64,
    /// Weights that were averaged.
    met: u64,
    mean: Option<M>,
}

impl<M: Module> Swa<M> {
    /// An average with nothing in it yet, over the ends of every `every`-th epoch from epoch `start`, from 1, on.
    pub fn new(start: u64, every: u64) -> Self {
        Self {
            start: start.max(1),
            every: every.max(1),
            met: 0,
            mean: None,
        }
    }

    /// Adds the weights when `epochs` epochs are done, if it is their turn.
    pub fn after_epoch(&mut self, epochs: u64, model: &M) {
        if epochs < self.start || !(epochs - self.start).is_multiple_of(self.every) {
            return;
        }
        self.met = self.met.saturating_add(1);
        self.mean = Some(match &self.mean {
            None => model.valid(),
            Some(mean) => blend(mean, model, 1.0 / self.met as f64),
        });
    }

    /// The average, for inference; none before the first epoch that counts.
    pub fn model(&self) -> Option<&M> {
        self.mean.as_ref()
    }

    pub(super) fn state(&self) -> Result<Vec<u8>, StateError> {
        record::to_bytes(NAME, self.met, self.mean.as_ref())
    }

    pub(super) fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), StateError> {
        (self.met, self.mean) = record::from_bytes(NAME, bytes, model)?;
        Ok(())
    }
}
