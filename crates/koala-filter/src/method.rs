//! What a method is: its configuration, and its state with the equations that move it.

use crate::demands::Demands;
use crate::error::{Error, Result};
use crate::gain::BlockGain;
use crate::innovation::Innovation;
use crate::options::Options;
use crate::plan::{Memory, Motion, TensorStep};
use crate::report::{Covariance, ProcessNoise};
use crate::statistics::{BlockStatistics, MetricFloor, Sums};

/// The configuration of a method.
pub(crate) trait MethodConfig {
    /// Options common to all methods.
    fn options(&self) -> &Options;

    /// Options common to all methods, to be changed.
    fn options_mut(&mut self) -> &mut Options;

    /// What the method asks of the passes over memory.
    fn demands(&self) -> Demands;

    /// Checks every field.
    fn check(&self) -> Result<()>;
}

/// The state of a method. An update is [`measured`](Self::measured), [`gain`](Self::gain) for each innovation, the steps
/// that come of them, and [`correct`](Self::correct).
pub(crate) trait Method {
    /// Its configuration.
    fn settings(&self) -> &dyn MethodConfig;

    /// Checks every stored number, for a layout of so many tensors in so many blocks.
    fn validate(&self, tensors: usize, blocks: usize) -> Result<()>;

    /// Makes room for new tensors and blocks after the old ones, so many in all.
    fn extend(&mut self, _tensors: usize, _blocks: usize) {}

    /// Follows a layout that has changed: for each tensor and each block the index of the one that it goes on, `None` where it
    /// is new.
    fn rearrange(&mut self, _from: &[Option<usize>], _blocks: &[Option<usize>]) {}

    /// What predict does to the parameters.
    fn motion(&self) -> Option<Motion> {
        None
    }

    /// Whether predict moves the tensor at `position` (if its group is not frozen).
    fn moves(&self, _position: usize) -> bool {
        true
    }

    /// The time update of the covariance. `deviation` = |a - x|^2 over the `elements` parameters, where the motion asks
    /// for it.
    fn predict(&mut self, _deviation: f64, _elements: usize) {}

    /// The sums that the update needs of the tensor at `position`.
    fn sums(&self, _position: usize) -> Sums {
        Sums::Gradient
    }

    /// How the floor of its metric is found, if it has one.
    fn floor(&self) -> Option<MetricFloor> {
        None
    }

    /// Moves the sums of one tensor to the floor of this update, `largest` being the largest ŝ of all tensors.
    fn settle(&self, _statistics: &mut BlockStatistics, _largest: f64) {}

    /// A measurement that is not missing has come: counts it.
    fn measured(&mut self) {}

    /// The gain of an innovation: of the block `block`, or of the whole model.
    fn gain(&mut self, block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain;

    /// What happens to the memory of the tensor at `position`, `scale` being e times the residual.
    fn memory(&self, _position: usize, gain: &BlockGain, scale: f64) -> Memory {
        gain.memory(scale)
    }

    /// Weight of the new x in the mean of a tensor, where the method keeps one.
    fn averaging(&self, _position: usize) -> Option<f64> {
        None
    }

    /// Whether the mean of the tensor at `position` has taken anything up.
    fn averaged(&self, _position: usize) -> bool {
        false
    }

    /// The covariance after the measurement.
    fn correct(&mut self, correction: &Correction);

    /// Q, as it is now.
    fn process_noise(&self) -> ProcessNoise;

    /// P, as it is now.
    fn covariance(&self) -> Covariance;
}

impl dyn Method + '_ {
    /// Options common to all methods.
    pub fn options(&self) -> &Options {
        self.settings().options()
    }

    /// What the method asks of the passes over memory.
    pub fn demands(&self) -> Demands {
        self.settings().demands()
    }
}

/// What a measurement says to the covariance.
pub(crate) struct Correction<'a> {
    /// G: the largest |h_b|^2 of the blocks that are updated, or h . A h over the whole model. `None`: no usable gradient.
    pub gradient: Option<f64>,
    /// R.
    pub r: f64,
    /// The innovations, one a block where blocks have their own.
    pub innovations: &'a [Option<Innovation>],
    /// One a tensor: those that take part move, and means of those that do not, where there are any, take their x up.
    pub steps: &'a [TensorStep],
}

/// What is kept of each tensor or block in the new order; new ones as they are at the start.
pub(crate) fn rearranged<T: Clone + Default>(kept: &[T], from: &[Option<usize>]) -> Vec<T> {
    let of = |from: &Option<usize>| from.map_or_else(T::default, |old| kept[old].clone());
    from.iter().map(of).collect()
}

/// Checks a stored variance.
pub(crate) fn variance(what: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(damaged(format!("{what} is {value}")))
    }
}

/// A 2x2 covariance as it may be stored.
pub(crate) fn covariance(p11: f64, p12: f64, p22: f64) -> Result<()> {
    variance("p11", p11)?;
    variance("p22", p22)?;
    // What predict makes p11 of, but for rounding.
    let rounding = f64::EPSILON * (1.0 + p11 + p22);
    if p12.is_finite() && p11 + 2.0 * p12 + p22 >= -rounding {
        Ok(())
    } else {
        Err(damaged(format!("p12 is {p12}")))
    }
}

pub(crate) fn damaged(what: String) -> Error {
    Error::DamagedState { what }
}
