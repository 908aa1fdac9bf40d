//! Lookahead (Zhang, Lucas, Hinton and Ba, 2019): k steps forward, one step back.

use burn::module::Module;
use burn::optim::GradientsParams;
use koala_models::stored::{Stored, bytes_tensor, encode, json, module_tensors, place_module};
use koala_models::{blend, float_bytes, with_weights_of};
use serde::{Deserialize, Serialize};

use super::{Optimizer, OptimizerError, StepSummary};

const WHAT: &str = "optimizer state";
const KEY: &str = "koala-lab-lookahead";
const INNER: &str = "inner";
const SLOW: &str = "slow/";

/// Whether and how [`Lookahead`] goes around the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LookaheadSpec {
    /// k, steps between two synchronisations; 0 (default) for no lookahead. The paper takes 5.
    pub lookahead_every: u64,
    /// alpha, the share of the way that the slow weights go. Default 0.5.
    pub lookahead_share: f64,
}

impl Default for LookaheadSpec {
    fn default() -> Self {
        Self {
            lookahead_every: 0,
            lookahead_share: 0.5,
        }
    }
}

impl LookaheadSpec {
    /// `optimizer` with lookahead for `model`, or as it is if there is to be none.
    pub fn around<M: Module + 'static>(
        &self,
        optimizer: Box<dyn Optimizer<M>>,
        model: &M,
    ) -> Box<dyn Optimizer<M>> {
        if self.lookahead_every == 0 {
            optimizer
        } else {
            Box::new(Lookahead::new(optimizer, self, model))
        }
    }

    /// What is wrong with the options: the key and the fault.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let share = self.lookahead_share;
        (!(share > 0.0 && share <= 1.0)).then(|| {
            (
                "lookahead-share",
                format!("must be in (0, 1], not {share:?}"),
            )
        })
    }
}

/// An optimizer (of the fast weights) with slow weights behind it. Every k steps
/// slow <- slow + alpha (fast - slow); fast <- slow.
///
/// Only parameters that require a gradient have slow weights: running statistics follow the fast ones. What the inner
/// optimizer remembers is left alone, as the paper's own experiments do. With KOALA the synchronisation comes after the
/// update and before the next prediction: KOALA-M keeps its velocities, and its running mean of the parameters, from
/// which it measures its position noise, goes on from where it was and sees the jump as motion.
///
/// [`evaluation`](Optimizer::evaluation) is at the slow weights, which are what the method converges with; the fast ones
/// are only on their way. The learning rate of the inner optimizer, its momentum and its state stay as they are.
pub struct Lookahead<M> {
    inner: Box<dyn Optimizer<M>>,
    every: u64,
    share: f64,
    /// For inference.
    slow: M,
    /// Steps since the last synchronisation.
    since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    since: u64,
}

impl<M: Module> Lookahead<M> {
    /// Lookahead around `inner`, the slow weights starting at those of `model`. Every 0 steps are every one.
    pub fn new(inner: Box<dyn Optimizer<M>>, spec: &LookaheadSpec, model: &M) -> Self {
        Self {
            inner,
            every: spec.lookahead_every,
            share: spec.lookahead_share,
            slow: model.valid(),
            since: 0,
        }
    }
}

impl<M: Module> Optimizer<M> for Lookahead<M> {
    fn prepare(&mut self, model: &mut M) -> Result<(), OptimizerError> {
        self.inner.prepare(model)
    }

    fn step(
        &mut self,
        model: M,
        gradients: GradientsParams,
        losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        let (mut model, summary) = self.inner.step(model, gradients, losses, factor)?;
        self.since = self.since.saturating_add(1);
        if self.since >= self.every {
            self.slow = blend(&self.slow, &model, self.share);
            model = with_weights_of(model, &self.slow);
            self.since = 0;
        }
        Ok((model, summary))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        let slow = with_weights_of(model.clone(), &self.slow);
        self.inner.evaluation(&slow)
    }

    fn needs_statistics(&self) -> bool {
        self.inner.needs_statistics()
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(self.inner.memory_bytes()? + float_bytes(&self.slow))
    }

    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError> {
        let mut tensors = vec![(INNER.to_owned(), bytes_tensor(self.inner.state(model)?))];
        let slow = module_tensors(WHAT, &self.slow)?;
        tensors.extend(
            slow.into_iter()
                .map(|(path, data)| (format!("{SLOW}{path}"), data)),
        );
        let header = Header { since: self.since };
        Ok(encode(WHAT, (KEY, json(WHAT, &header)?), &tensors)?)
    }

    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError> {
        let stored = Stored::read(WHAT, bytes)?;
        let header: Header = stored.header(KEY)?;
        let mut names = stored.names().into_iter();
        if let Some(name) = names.find(|name| *name != INNER && !name.starts_with(SLOW)) {
            return Err(stored
                .fault(name, "is nothing that lookahead remembers".to_owned())
                .into());
        }
        let slow = place_module(model.valid(), &stored, SLOW)?;
        self.inner.restore(stored.bytes(INNER)?, model)?;
        self.slow = slow;
        self.since = header.since;
        Ok(())
    }
}
