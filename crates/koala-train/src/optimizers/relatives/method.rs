//! What tells one relative from another.

use burn::tensor::Tensor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::optimizers::OptimizerError;

/// The equations of a method, over parameters that are flat tensors.
pub(in crate::optimizers) trait Method: 'static {
    /// The scalars that it remembers.
    type Numbers: Clone + Serialize + DeserializeOwned;

    /// Its name.
    const NAME: &'static str;

    /// Whether it is evaluated at other weights than it takes gradients at, whose running statistics nobody has met.
    const AVERAGES: bool = false;

    /// The learning rate that schedules scale.
    fn learning_rate(&self) -> f64;

    /// The tensors that it remembers of the parameter at this path, of the parameter's shape.
    fn vectors(&self, path: &str) -> &'static [&'static str];

    /// The scalars before the first step.
    fn start(&self) -> Self::Numbers;

    /// What is wrong with scalars that were read from somewhere.
    fn damage(_numbers: &Self::Numbers) -> Option<String> {
        None
    }

    /// Moves the rows, which are the parameters that have a gradient, and gives the length of the step as a learning rate.
    ///
    /// `loss` is finite, `rate` the learning rate with the schedule's factor in it. Nothing if gradients or what is
    /// computed from them are not finite: the caller then forgets what became of rows and numbers.
    fn step(
        &self,
        numbers: &mut Self::Numbers,
        rows: &mut [Row],
        loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError>;

    /// The values to evaluate a parameter at, with what is remembered of it.
    fn evaluated(
        &self,
        _numbers: &Self::Numbers,
        x: Tensor<1>,
        _memory: &[Tensor<1>],
    ) -> Tensor<1> {
        x
    }
}

/// What is wrong with numbers that must be finite and not negative.
pub(super) fn negative(numbers: &[(&str, f64)]) -> Option<String> {
    let odd = numbers.iter().find(|(_, v)| !v.is_finite() || *v < 0.0);
    odd.map(|(name, value)| format!("its {name} is {value:?}"))
}

/// The count of steps, where a method remembers no other scalar.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct Steps {
    steps: u64,
}

impl Steps {
    /// Counts a step, and gives its number, from 1.
    pub fn next(&mut self) -> f64 {
        self.steps = self.steps.saturating_add(1);
        self.steps as f64
    }
}
