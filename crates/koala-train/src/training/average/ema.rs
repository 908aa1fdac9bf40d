//! An exponential moving average of the weights.

use burn::module::Module;
use koala_models::blend;
use koala_models::stored::StateError;

use super::record;

const NAME: &str = "ema";

/// shadow <- decay shadow + (1 - decay) weights after each step, running statistics included.
///
/// The first weights that it meets are the first shadow, so that neither zeros nor the initial weights weigh on it. With a
/// warm-up the decay is min(decay, (1 + t)/(10 + t)) at the t-th step, from 0, so that the average of a short run is not
/// that of its first steps.
#[derive(Debug, Clone)]
pub struct Ema<M> {
    decay: f64,
    warm_up: bool,
    /// Weights that were met.
    met: u64,
    shadow: Option<M>,
}

impl<M: Module> Ema<M> {
    /// An average with nothing in it yet.
    pub fn new(decay: f64, warm_up: bool) -> Self {
        Self {
            decay,
            warm_up,
            met: 0,
            shadow: None,
        }
    }

    /// Adds the weights after a step.
    pub fn add(&mut self, model: &M) {
        self.shadow = Some(match &self.shadow {
            None => model.valid(),
            Some(shadow) => {
                let met = self.met as f64;
                let rising = (1.0 + met) / (10.0 + met);
                let decay = if self.warm_up {
                    self.decay.min(rising)
                } else {
                    self.decay
                };
                blend(shadow, model, 1.0 - decay)
            }
        });
        self.met = self.met.saturating_add(1);
    }

    /// The shadow, for inference; none before the first step.
    pub fn model(&self) -> Option<&M> {
        self.shadow.as_ref()
    }

    pub(super) fn state(&self) -> Result<Vec<u8>, StateError> {
        record::to_bytes(NAME, self.met, self.shadow.as_ref())
    }

    pub(super) fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), StateError> {
        (self.met, self.shadow) = record::from_bytes(NAME, bytes, model)?;
        Ok(())
    }
}
