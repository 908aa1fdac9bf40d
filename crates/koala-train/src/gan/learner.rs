//! Everything about adversarial training that changes while it goes.

use koala_models::gan::{Critic, Generator};

use super::{GanProgress, GanTask, Player};
use crate::Error;
use crate::optimizers::OptimizerError;
use crate::training::{Average, Checkpoint, Marks, inference};

const GENERATOR: [&str; 2] = ["generator.safetensors", "generator-optimizer.safetensors"];
const CRITIC: [&str; 2] = ["critic.safetensors", "critic-optimizer.safetensors"];
const AVERAGE: &str = "average.safetensors";

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

    /// The generator as it would be used now: without gradients, with running statistics, averaged if there is an average.
    pub(super) fn inference(&self, task: &GanTask) -> Result<Generator, OptimizerError> {
        let Player { model, optimizer } = &self.generator;
        inference(model, &**optimizer, self.average.as_ref(), |average| {
            task.statistics(average)
        })
    }

    /// What goes on from here gives the same bits as if it had not been stopped.
    pub(super) fn checkpoint(&self, marks: Marks) -> Result<Checkpoint, Error> {
        let mut checkpoint = Checkpoint::new(self.progress.step, &self.progress, marks)?;
        self.generator.put(GENERATOR, &mut checkpoint)?;
        self.critic.put(CRITIC, &mut checkpoint)?;
        if let Some(average) = &self.average {
            checkpoint.put(AVERAGE, average.state()?);
        }
        Ok(checkpoint)
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
        if let Some(average) = &mut self.average {
            average.restore(checkpoint.file(AVERAGE)?, &self.generator.model)?;
        }
        self.progress = progress;
        Ok(())
    }
}
