//! A run: an optimizer, its parameters, and the gradients and losses of every step.

use serde::{Deserialize, Serialize};

use crate::dense::Koala;
use crate::error::Result;
use crate::layout::Layout;
use crate::methods::Config;
use crate::observation::Observation;
use crate::report::StepReport;

/// One run, made up beforehand: its gradients do not depend on the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// The optimizer.
    pub config: Config,
    /// Names, shapes and groups of the parameters.
    pub layout: Layout,
    /// The parameters at the start, in row-major order.
    pub initial: Vec<Vec<f32>>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// What the model says in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The gradients of the mean loss, in row-major order; `None` where there is none.
    pub gradients: Vec<Option<Vec<f32>>>,
    /// The per-sample losses.
    pub losses: Vec<f32>,
}

/// What one step must come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The parameters after predict.
    pub predicted: Vec<Vec<f32>>,
    /// The parameters after update.
    pub updated: Vec<Vec<f32>>,
    /// The parameters at which the model is then to be evaluated: KOALA-A's mean.
    pub evaluated: Vec<Vec<f32>>,
    /// The report of update.
    pub report: StepReport,
}

impl Case {
    /// The run through [`dense::Koala`](Koala) on `f32`.
    ///
    /// # Errors
    /// Those of the optimizer; there are none in [`cases`](super::cases).
    pub fn reference(&self) -> Result<Vec<Reference>> {
        let mut optimizer = Koala::with_layout(self.config.clone(), self.layout.clone())?;
        let mut parameters = self.initial.clone();
        let mut references = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            optimizer.predict(&mut slices(&mut parameters))?;
            let predicted = parameters.clone();
            let gradients: Vec<_> = step.gradients.iter().map(Option::as_deref).collect();
            let observation = Observation::from_losses(&step.losses);
            let report =
                optimizer.update(&mut slices(&mut parameters), &gradients, &observation)?;
            let slices: Vec<&[f32]> = parameters.iter().map(Vec::as_slice).collect();
            references.push(Reference {
                evaluated: optimizer.evaluation(&slices)?,
                predicted,
                updated: parameters.clone(),
                report,
            });
        }
        Ok(references)
    }
}

fn slices(parameters: &mut [Vec<f32>]) -> Vec<&mut [f32]> {
    parameters.iter_mut().map(Vec::as_mut_slice).collect()
}
