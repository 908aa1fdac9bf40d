//! What the training loop asks of an optimizer.

use burn::optim::GradientsParams;
use koala_filter::StepReport;
use koala_models::stored::StateError;

/// An optimizer of the models `M`, as the training loop uses it:
/// [`prepare`](Optimizer::prepare), forward and backward, [`step`](Optimizer::step), and only between a step and the
/// next preparation [`evaluation`](Optimizer::evaluation).
pub trait Optimizer<M> {
    /// Called before the forward pass. KOALA predicts here, which moves the parameters; the others do nothing.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] if it is not the time for it, or the model is another one.
    fn prepare(&mut self, model: &mut M) -> Result<(), OptimizerError>;

    /// Called after the backward pass, with the gradients of the mean loss, the loss of each sample, and the factor that
    /// the schedule gives the gain or learning rate at this step.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] if it is not the time for it, the model is another one, or the optimizer sees that training
    /// has diverged.
    fn step(
        &mut self,
        model: M,
        gradients: GradientsParams,
        losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError>;

    /// The model for inference, without gradients.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] between preparation and step, when the parameters are not the ones that were learned.
    fn evaluation(&self, model: &M) -> Result<M, OptimizerError>;

    /// Whether [`evaluation`](Optimizer::evaluation) is at weights that no batch went through, so that running statistics
    /// of batch normalisation must be found anew, by [`recompute_statistics`](crate::training::recompute_statistics).
    fn needs_statistics(&self) -> bool {
        false
    }

    /// Bytes of the tensors that it holds between steps beside the parameters, 0 for plain SGD and KOALA-V. Scalars (counts
    /// of steps, the filter's covariances, a few a tensor) are left out. Some methods hold nothing before their first step.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] if what it holds cannot be looked at.
    fn memory_bytes(&self) -> Result<u64, OptimizerError>;

    /// All that it remembers between a step and the next preparation, `model` being the network it trains. The same state
    /// gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] between preparation and step, or if the model is another one.
    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError>;

    /// Goes on, to the bit, where [`state`](Optimizer::state) was taken, with `model` as it was then: parameters are known
    /// by their paths, so that it may be another program's. Options that schedules and configurations give anew (learning
    /// rate, gain) are this optimizer's own; what KOALA's filter was made with comes from the state.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] if the bytes are damaged, or the state of another optimizer or of another network's. The
    /// optimizer is then as it was.
    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError>;
}

/// The mean of the losses that a step is given.
pub(crate) fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64
}

/// What a step did.
#[derive(Debug, Clone)]
pub struct StepSummary {
    /// Gain of KOALA or learning rate of the others, the schedule's factor in it.
    pub gain: f64,
    /// The learning rate with which plain gradient descent would have made a step as long; the same as `gain` for SGD,
    /// and only a scale for optimizers that give each parameter its own.
    pub effective_learning_rate: f64,
    /// What KOALA's filter did; nothing for the others.
    pub report: Option<StepReport>,
}

/// Why an optimizer refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// KOALA refused.
    #[error(transparent)]
    Koala(#[from] koala_burn::Error),
    /// A device that failed while results were read from it.
    #[error("reading results back from the device failed: {reason}")]
    Device {
        /// What the device reported.
        reason: String,
    },
    /// An optimizer of one's own refused, or left something of another size than it had.
    #[error("the optimizer '{name}': {reason}")]
    Own {
        /// What it is called.
        name: String,
        /// Why, in its own words.
        reason: String,
    },
    /// A state cannot be stored or does not fit.
    #[error(transparent)]
    State(#[from] StateError),
}
