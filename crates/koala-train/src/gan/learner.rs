//! Everything about adversarial training that changes while it goes.

use koala_models::gan::{Critic, Generator};

use super::{GanProgress, Player};
use crate::Error;
use crate::training::{Average, Checkpoint};

pub(super) const GENERATOR: [&str; 2] =
    ["generator.safetensors", "generator-optimizer.safetensors"];
pub(super) const CRITIC: [&str; 2] = ["critic.safetensors", "critic-optimizer.safetensors"];

/// Everything about a run that changes while it goes: what a checkpoint holds.
pub struct GanLearner {
    /// What makes images.
    pub generator: Player<Generator>,
    /// What judges them.
    pub critic: Player<Critic>,
    /// What averages the generator's weights, if something does.
    pub average: Option<Average<Generator>>,
    /// How far it is.
    pub progress: GanProgress,
}

impl GanLearner {
    /// A run that begins.
    pub fn new(
        generator: Player<Generator>,
        critic: Player<Critic>,
        average: Option<Average<Generator>>,
    ) -> Self {
        Self {
            generator,
            critic,
            average,
            progress: GanProgress::default(),
        }
    }

    /// Goes back to where a checkpoint was made.
    ///
    /// # Errors
    ///
    /// [`Error::State`] or [`Error::Optimizer`] if it is damaged or of other networks or optimizers.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let progress = checkpoint.progress()?;
        self.generator.restore(GENERATOR, checkpoint)?;
        self.critic.restore(CRITIC, checkpoint)?;
        checkpoint.restore_average(self.average.as_mut(), &self.generator.model)?;
        self.progress = progress;
        Ok(())
    }
}
