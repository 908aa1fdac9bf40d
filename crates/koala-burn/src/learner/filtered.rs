//! A network with its optimizer, as the learner's model.

use std::path::PathBuf;

use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn::tensor::Tensor;
use burn::train::metric::ItemLazy;
use burn::train::{InferenceStep, Interrupter, TrainOutput, TrainStep};

use super::checkpoints::Checkpoints;
use super::handle::Handle;
use super::shared::{ONE_DEVICE, Shared};
use crate::error::Result;
use crate::optimizer::Koala;

/// A network that says what its losses are.
pub trait Measured: Module {
    /// A batch of training.
    type Input: Send + 'static;
    /// What the metrics are told.
    type Output: ItemLazy + 'static;

    /// The losses of the batch's samples, one each, with their graph, and what the metrics are told of them.
    fn measure(&self, batch: Self::Input) -> (Tensor<1>, Self::Output);
}

/// A network with its optimizer: what [`Learner::new`](burn::train::Learner::new) takes as its model. Its clones share
/// the optimizer.
///
/// With gradient accumulation the losses of all micro-batches are one measurement, and gradients count by their samples.
#[derive(Module, Debug)]
pub struct Filtered<M: Module> {
    /// The network at the filter's estimate.
    network: M,
    handle: Handle<M>,
}

impl<M: Module> Filtered<M> {
    /// The network that `optimizer` was made for. An error of the optimizer stops the training by `interrupter`, which
    /// is [`SupervisedTraining::interrupter`](burn::train::SupervisedTraining::interrupter), and stands as its reason.
    pub fn new(network: M, optimizer: Koala, interrupter: Interrupter) -> Self {
        let handle = Handle::new(Shared::new(network.clone(), optimizer, interrupter));
        Self { network, handle }
    }

    /// What is done with the network at the mean of the iterates before it is validated there: with batch normalisation,
    /// [`recompute_statistics`](crate::recompute_statistics). Once for each validation.
    #[must_use]
    pub fn with_evaluation(self, finish: impl Fn(M) -> M + Send + 'static) -> Self {
        self.handle.lock().finish = Some(Box::new(finish));
        self
    }

    /// The network at the filter's estimate.
    pub fn network(&self) -> &M {
        &self.network
    }

    /// The network to be used, without autodiff: at the mean of the iterates where the method keeps one, finished as
    /// [`with_evaluation`](Self::with_evaluation) says.
    ///
    /// # Errors
    /// As [`Koala::evaluation`].
    pub fn evaluation(&self) -> Result<M> {
        self.handle.lock().evaluation()
    }

    /// Looks at the optimizer.
    pub fn with_optimizer<T>(&self, look: impl FnOnce(&Koala) -> T) -> T {
        look(&self.handle.lock().optimizer)
    }

    /// Keeps the optimizer's states in `folder`, beside the checkpoints that `strategy` has the learner keep.
    pub fn checkpoints<S>(&self, folder: impl Into<PathBuf>, strategy: S) -> Checkpoints<M, S> {
        Checkpoints::new(self.handle.clone(), folder.into(), strategy)
    }
}

impl<M: Measured> TrainStep for Filtered<M> {
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, batch: M::Input) -> TrainOutput<M::Output> {
        let mut shared = self.handle.lock();
        let (network, whole) = shared.predicted(&self.network);
        let (losses, output) = network.measure(batch);
        let (count, own) = (losses.dims()[0], losses.clone());
        // Of the mean loss; of a later micro-batch weighted by its samples beside the first one's.
        let mean = losses.sum() / whole.unwrap_or(count).max(1) as f64;
        let output = TrainOutput::new(&network, mean.backward(), output);
        shared.measured(network, own);
        output
    }

    fn optimize(
        mut self,
        _optimizer: &mut ModuleOptimizer,
        _learning_rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        if let Some(network) = self.handle.lock().update(gradients) {
            self.network = network;
        }
        self
    }

    fn optimize_multi(
        self,
        _optimizer: &mut ModuleOptimizer,
        _learning_rate: ModuleLearningRate,
        _gradients: MultiGradientsParams,
    ) -> Self {
        self.handle.lock().stop(ONE_DEVICE);
        self
    }
}

impl<M> InferenceStep for Filtered<M>
where
    M: Module + InferenceStep,
{
    type Input = <M as InferenceStep>::Input;
    type Output = <M as InferenceStep>::Output;

    fn step(&self, batch: Self::Input) -> Self::Output {
        let evaluated = self.handle.lock().evaluation();
        match evaluated {
            Ok(network) => network.step(batch),
            // Between predict and update there is no other place: the learner never validates there.
            Err(_) => self.network.step(batch),
        }
    }
}
