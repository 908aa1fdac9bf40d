//! A relative in the training loop.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::method::Method;
use super::record;
use super::rows::{Memory, bytes, collect, evaluated, place};
use crate::optimizers::optimizer::mean;
use crate::optimizers::{Optimizer, OptimizerError, StepSummary};

/// A method and what it remembers.
///
/// A step whose loss or gradients are not finite is left out: parameters and memory stay as they were, and the step's
/// effective learning rate is 0. Parameters without a gradient are left alone, and so is what is remembered of them.
pub(in crate::optimizers) struct Relative<T: Method> {
    method: T,
    numbers: T::Numbers,
    memory: Memory,
}

impl<T: Method> Relative<T> {
    pub fn new(method: T) -> Self {
        Self {
            numbers: method.start(),
            method,
            memory: Memory::new(),
        }
    }
}

impl<M: Module, T: Method> Optimizer<M> for Relative<T> {
    fn prepare(&mut self, _model: &mut M) -> Result<(), OptimizerError> {
        Ok(())
    }

    fn step(
        &mut self,
        model: M,
        gradients: GradientsParams,
        losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        let rate = self.method.learning_rate() * factor;
        let loss = mean(losses);
        let mut rows = collect(&model, gradients, &self.memory);
        let mut numbers = self.numbers.clone();
        let moved = if loss.is_finite() {
            self.method.step(&mut numbers, &mut rows, loss, rate)?
        } else {
            None
        };
        let summary = StepSummary {
            gain: rate,
            effective_learning_rate: moved.unwrap_or(0.0),
            report: None,
        };
        if moved.is_none() {
            return Ok((model, summary));
        }
        self.numbers = numbers;
        Ok((place(model, rows, &mut self.memory), summary))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        if !T::AVERAGES {
            return Ok(model.valid());
        }
        let value = |x, memory: &[_]| self.method.evaluated(&self.numbers, x, memory);
        Ok(evaluated(model, &self.memory, value))
    }

    fn needs_statistics(&self) -> bool {
        T::AVERAGES
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(bytes(&self.memory))
    }

    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError> {
        let vectors = |path: &str| self.method.vectors(path);
        let form = (T::NAME, &vectors as _);
        Ok(record::to_bytes(form, &self.numbers, &self.memory, model)?)
    }

    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError> {
        let vectors = |path: &str| self.method.vectors(path);
        let form = (T::NAME, &vectors as _);
        (self.numbers, self.memory) = record::from_bytes(form, bytes, model, T::damage)?;
        Ok(())
    }
}
