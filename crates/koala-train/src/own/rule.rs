//! What an optimizer of your own has to say.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::optimizers::relatives::rows::Row as Parameter;

/// An optimizer of your own: how a step moves the parameters. It is a struct of its options, which are keys of a configuration and can
/// be tuned; the loop keeps what it remembers, in checkpoints too.
///
/// ```
/// use koala_train::own::{Parameter, Rule, StepAt};
/// use serde::{Deserialize, Serialize};
///
/// /// x <- x - rate sign(v), v <- momentum v + (1 - momentum) g.
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// #[serde(rename_all = "kebab-case", deny_unknown_fields)]
/// struct SignMomentum {
///     learning_rate: f64,
///     momentum: f64,
/// }
///
/// impl Rule for SignMomentum {
///     const MEMORY: &'static [&'static str] = &["velocity"];
///
///     fn learning_rate(&self) -> f64 {
///         self.learning_rate
///     }
///
///     fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
///         for parameter in parameters {
///             let old = parameter.memory[0].clone() * self.momentum;
///             let velocity = old + parameter.gradient.clone() * (1.0 - self.momentum);
///             parameter.x = parameter.x.clone() - velocity.clone().sign() * at.rate;
///             parameter.memory[0] = velocity;
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Rule: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The tensors that it remembers of each parameter, by name: zeros before the first step. Default none.
    const MEMORY: &'static [&'static str] = &[];

    /// The option that scales its steps, by which it is tuned unless a suite says otherwise.
    const KNOB: &'static str = "learning-rate";

    /// What a schedule scales.
    fn learning_rate(&self) -> f64;

    /// What is wrong with the options: the key and the fault. Default nothing.
    fn fault(&self) -> Option<(&'static str, String)> {
        None
    }

    /// Moves the parameters that have a gradient, in the order of the module. It is not called if the loss is no finite number: nothing
    /// moves then.
    ///
    /// # Errors
    ///
    /// Why it cannot, in words: the run has then failed, and is counted as one that has.
    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String>;
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct StepAt {
    /// Steps that the rule has made before it.
    pub number: u64,
    /// Mean loss of the batch.
    pub loss: f64,
    /// The learning rate, with the schedule's factor in it.
    pub rate: f64,
}
