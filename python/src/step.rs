//! What a step does with one tensor, as Python's engines have it.

use koala_filter::{Displacement, Memory, PreviousCovariance, TensorStep};
use pyo3::prelude::*;

/// What a step does with one tensor: whether it moves, decay, position, shrinkage, and for KOALA-M (velocity, averaging),
/// for KOALA++ (covariance, previous gradient, gradient, direction), the first two `None` where the block (re)starts, for
/// KOALA-A (velocity, smoothing of the second moment if there is one, weight of x in the mean if there is one); and the
/// velocity's decay where the next prediction is joined. A tensor that does not move has one of the last two alone.
#[derive(IntoPyObject, Default)]
pub(crate) struct Step {
    moves: bool,
    decay: f64,
    position: f64,
    shrinkage: f64,
    velocity: Option<f64>,
    averaging: Option<f64>,
    covariance: Option<f64>,
    previous: Option<f64>,
    gradient: Option<f64>,
    direction: Option<f64>,
    smoothing: Option<f64>,
    mean: Option<f64>,
    prediction: Option<f64>,
}

impl Step {
    /// The step, or nothing if nothing is done with the tensor.
    pub fn of(step: &TensorStep) -> Option<Self> {
        match *step {
            TensorStep::Move(ref displacement) => Some(displacement.into()),
            TensorStep::Average(weight) => Some(Self {
                mean: Some(weight),
                ..Self::default()
            }),
            TensorStep::Predict(kappa) => Some(Self {
                prediction: Some(kappa),
                ..Self::default()
            }),
            TensorStep::Skip => None,
        }
    }
}

impl From<&Displacement> for Step {
    fn from(displacement: &Displacement) -> Self {
        let mut step = Self {
            moves: true,
            decay: displacement.decay,
            position: displacement.position,
            shrinkage: displacement.shrinkage,
            prediction: displacement.prediction,
            ..Self::default()
        };
        match displacement.memory {
            Memory::None => {}
            Memory::Velocity {
                velocity,
                averaging,
            } => {
                step.velocity = Some(velocity);
                step.averaging = averaging;
            }
            Memory::Covariance {
                previous,
                gradient,
                direction,
            } => {
                if let Some(PreviousCovariance {
                    covariance,
                    gradient,
                }) = previous
                {
                    step.covariance = Some(covariance);
                    step.previous = Some(gradient);
                }
                step.gradient = Some(gradient);
                step.direction = Some(direction);
            }
            Memory::Adaptive {
                velocity,
                metric,
                averaging,
            } => {
                step.velocity = Some(velocity);
                step.smoothing = metric.map(|metric| metric.smoothing);
                step.mean = averaging;
            }
        }
        step
    }
}
