//! The optimizer over slices.

use std::iter::repeat;
use std::sync::Arc;

use super::gradient::Gradient;
use super::lent::Lent;
use super::passes;
use super::real::Real;
use super::scratch::Scratch;
use super::state::{DenseState, TensorMemory};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::group::Group;
use crate::layout::Layout;
use crate::methods::Config;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::report::StepReport;
use crate::statistics::BlockStatistics;
use crate::workspace::Workspace;

/// KOALA-V, KOALA-M, KOALA++ or KOALA-A over slices of `F`, chosen by the configuration it is made with.
///
/// A step is [`predict`](Self::predict), then loss and gradients at the predicted parameters, then
/// [`update`](Self::update). All parameters are passed to both, in the same order every time. The crate's first page has
/// an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Koala<F: Real> {
    filter: Filter,
    memory: Vec<TensorMemory<F>>,
    scratch: Scratch<F>,
}

impl<F: Real> Koala<F> {
    /// An optimizer for slices of these lengths, in one group.
    ///
    /// # Errors
    /// [`Error::InvalidField`] naming the field of the configuration that is wrong.
    pub fn new(config: impl Into<Config>, lengths: &[usize]) -> Result<Self> {
        Self::with_layout(config, Layout::from_lengths(lengths))
    }

    /// An optimizer for the parameters of a layout: with names, shapes and groups.
    ///
    /// # Errors
    /// [`Error::InvalidField`] naming the field of the configuration or of the layout that is wrong.
    pub fn with_layout(config: impl Into<Config>, layout: Layout) -> Result<Self> {
        let config = config.into();
        let kind = config.memory();
        let filter = Filter::new(config, layout)?;
        let memory = filter
            .layout()
            .parameters()
            .iter()
            .map(|parameter| TensorMemory::zeros(kind, parameter.len()))
            .collect();
        Ok(Self {
            filter,
            memory,
            scratch: Scratch::default(),
        })
    }

    /// An optimizer that goes on where `state` was taken, to the bit.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], [`Error::DamagedState`], [`Error::InvalidField`].
    pub fn from_state(state: DenseState<F>) -> Result<Self> {
        let filter = Filter::from_state(state.filter)?;
        let kind = filter.config().memory();
        let parameters = filter.layout().parameters();
        if state.memory.len() != parameters.len() {
            return Err(Error::DamagedState {
                what: format!(
                    "memory of {} parameters, but {} parameters",
                    state.memory.len(),
                    parameters.len()
                ),
            });
        }
        for (parameter, memory) in parameters.iter().zip(&state.memory) {
            let fault = if !memory.fits(kind, parameter.len()) {
                "has the wrong length"
            } else if !memory.is_finite() {
                "has a number that is not finite"
            } else {
                continue;
            };
            return Err(Error::DamagedState {
                what: format!("memory of '{}' {fault}", parameter.name),
            });
        }
        Ok(Self {
            filter,
            memory: state.memory,
            scratch: Scratch::default(),
        })
    }

    /// The state, to be stored beside the parameters. It may be taken in either phase and records which.
    pub fn state(&self) -> DenseState<F> {
        DenseState {
            filter: self.filter.state().clone(),
            memory: self.memory.clone(),
        }
    }

    /// The filter: configuration, layout, phase, step.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Sets e, the gain multiplier, from now on (the schedule goes on multiplying it).
    ///
    /// # Errors
    /// [`Error::InvalidField`] if it is negative or not finite.
    pub fn set_gain(&mut self, gain: f64) -> Result<()> {
        self.filter.set_gain(gain)
    }

    /// Replaces the options of a group from now on: to unfreeze it, to change its gain.
    ///
    /// # Errors
    /// As [`Filter::set_group`].
    pub fn set_group(&mut self, index: usize, group: Group) -> Result<()> {
        self.filter.set_group(index, group)
    }

    /// Adds a group with further parameters, which are passed after the others from now on; returns its index.
    ///
    /// # Errors
    /// As [`Filter::add_group`]; nothing has changed then.
    pub fn add_group<N: Into<Arc<str>>>(
        &mut self,
        group: Group,
        parameters: impl IntoIterator<Item = (N, Vec<usize>)>,
    ) -> Result<usize> {
        let index = self.filter.add_group(group, parameters)?;
        let kind = self.filter.config().memory();
        let added = &self.filter.layout().parameters()[self.memory.len()..];
        self.memory.extend(
            added
                .iter()
                .map(|parameter| TensorMemory::zeros(kind, parameter.len())),
        );
        Ok(index)
    }

    /// The time update: moves the parameters to their prediction (KOALA-M and KOALA-A; the others leave them alone).
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] without an update since the last predict; [`Error::CountMismatch`],
    /// [`Error::LengthMismatch`]. Nothing has changed then.
    pub fn predict(&mut self, parameters: &mut [impl AsMut<[F]>]) -> Result<()> {
        self.advance(&mut slices(parameters))
    }

    fn advance(&mut self, parameters: &mut [&mut [F]]) -> Result<()> {
        let motion = self.filter.begin_predict()?;
        self.check_parameters(parameters.iter().map(|x| x.len()))?;
        let Some(motion) = motion else {
            return self.filter.complete_predict(&[]);
        };
        let filter = &self.filter;
        let tensors = lend(parameters, repeat(None), &mut self.memory);
        let mut tensors = self.scratch.filled(tensors);
        let moving = |position| filter.moves(position);
        let deviations = passes::advance(&motion, moving, &mut tensors);
        self.scratch.keep(tensors);
        self.filter.complete_predict(&deviations)
    }

    /// Ends a step that was begun and will not be finished: the prediction stands, and no measurement is counted as missing.
    /// Without a predict before it does nothing.
    pub fn abandon(&mut self) {
        self.filter.abandon();
    }

    /// The measurement update. `gradients`: of the plain mean loss at the predicted parameters, one a parameter, as slices,
    /// `Vec`s or options of them, `None` where there is none; weight decay is not in them.
    ///
    /// # Errors
    /// As [`Filter::update`], and [`Error::LengthMismatch`].
    pub fn update(
        &mut self,
        parameters: &mut [impl AsMut<[F]>],
        gradients: &[impl Gradient<F>],
        observation: &Observation,
    ) -> Result<StepReport> {
        let update = Filter::update_in;
        self.measure(&mut slices(parameters), gradients, observation, update)
    }

    /// [`update`](Self::update) and the next [`predict`](Self::predict), to the bit, in one pass over memory less where the
    /// method allows it: for loops that need the parameters nowhere but at the prediction. The parameters then always
    /// stand there, from the first predict on; for the model to be evaluated there is
    /// [`evaluation_from_prediction`](Self::evaluation_from_prediction).
    ///
    /// # Errors
    /// As [`update`](Self::update); after [`Error::TooManyMissing`] predict stays to be done.
    pub fn update_and_predict(
        &mut self,
        parameters: &mut [impl AsMut<[F]>],
        gradients: &[impl Gradient<F>],
        observation: &Observation,
    ) -> Result<StepReport> {
        let mut parameters = slices(parameters);
        let update = Filter::update_and_predict;
        let report = self.measure(&mut parameters, gradients, observation, update)?;
        if self.filter.phase() == Phase::Updated {
            self.advance(&mut parameters)?;
        }
        Ok(report)
    }

    /// Takes the sums, has the filter `update` with them, and does its steps.
    fn measure(
        &mut self,
        parameters: &mut [&mut [F]],
        gradients: &[impl Gradient<F>],
        observation: &Observation,
        update: impl FnOnce(&mut Filter, &mut Workspace, &Observation) -> Result<StepReport>,
    ) -> Result<StepReport> {
        self.filter.require("update", Phase::Predicted)?;
        self.check_parameters(parameters.iter().map(|x| x.len()))?;
        self.check_gradients(gradients)?;
        let gradients = gradients.iter().map(Gradient::values);
        let tensors = lend(parameters, gradients, &mut self.memory);
        let mut tensors = self.scratch.filled(tensors);
        let workspace = &mut self.scratch.workspace;
        workspace.statistics.resize(tensors.len(), None);
        measured(&self.filter, &mut tensors, &mut workspace.statistics);
        let report = update(&mut self.filter, workspace, observation);
        if report.is_ok() {
            passes::displace(&workspace.steps, &mut tensors);
        }
        self.scratch.keep(tensors);
        report
    }

    /// The parameters at which the model is to be evaluated: KOALA-A's mean x̄, where one is kept; else the parameters as
    /// they are. Running statistics that a model keeps (batch normalisation) belong to other parameters and must be found
    /// anew there.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] between predict and update, when the parameters stand at their prediction;
    /// [`Error::CountMismatch`], [`Error::LengthMismatch`].
    pub fn evaluation(&self, parameters: &[impl AsRef<[F]>]) -> Result<Vec<Vec<F>>> {
        self.filter.require("evaluation", Phase::Updated)?;
        self.evaluated(parameters, |_, x, _| x.to_vec())
    }

    /// [`evaluation`](Self::evaluation) for parameters that stand at their prediction, as after
    /// [`update_and_predict`](Self::update_and_predict): without a mean they are, but for rounding, where the last update
    /// left them.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] without a predict since the last update; [`Error::CountMismatch`], [`Error::LengthMismatch`].
    pub fn evaluation_from_prediction(
        &self,
        parameters: &[impl AsRef<[F]>],
    ) -> Result<Vec<Vec<F>>> {
        self.filter
            .require("evaluation_from_prediction", Phase::Predicted)?;
        self.evaluated(parameters, |position, x, memory| {
            match self.filter.velocity_taken(position) {
                // x was moved by v, and v slowed down to kappa v.
                Some(kappa) => {
                    let back = F::from_f64(-1.0 / kappa);
                    let rows = x.iter().zip(&memory.first);
                    rows.map(|(&x, &v)| x + back * v).collect()
                }
                None => x.to_vec(),
            }
        })
    }

    /// The mean of each parameter that has one, and of the others what `without` makes of position, x and memory.
    fn evaluated(
        &self,
        parameters: &[impl AsRef<[F]>],
        without: impl Fn(usize, &[F], &TensorMemory<F>) -> Vec<F>,
    ) -> Result<Vec<Vec<F>>> {
        let parameters: Vec<&[F]> = parameters.iter().map(AsRef::as_ref).collect();
        self.check_parameters(parameters.iter().map(|x| x.len()))?;
        let slot = self.filter.config().memory().mean_slot();
        Ok(parameters
            .iter()
            .zip(&self.memory)
            .enumerate()
            .map(|(position, (x, memory))| match slot {
                Some(slot) if self.filter.averaged(position) => memory.slots()[slot].to_vec(),
                _ => without(position, x, memory),
            })
            .collect())
    }

    fn check_parameters(&self, lengths: impl ExactSizeIterator<Item = usize>) -> Result<()> {
        let expected = self.filter.layout().parameters();
        check_count("parameters", expected.len(), lengths.len())?;
        lengths
            .enumerate()
            .try_for_each(|(tensor, length)| self.check_length("parameter", tensor, length))
    }

    fn check_gradients(&self, gradients: &[impl Gradient<F>]) -> Result<()> {
        check_count("gradients", self.memory.len(), gradients.len())?;
        let values = gradients.iter().map(Gradient::values).enumerate();
        values
            .filter_map(|(tensor, values)| Some((tensor, values?)))
            .try_for_each(|(tensor, values)| self.check_length("gradient", tensor, values.len()))
    }

    fn check_length(&self, what: &'static str, tensor: usize, found: usize) -> Result<()> {
        let parameter = &self.filter.layout().parameters()[tensor];
        if parameter.len() == found {
            Ok(())
        } else {
            Err(Error::LengthMismatch {
                what,
                name: parameter.name.to_string(),
                expected: parameter.len(),
                found,
            })
        }
    }
}

/// The sums of the tensors, all those of the layout, in one reading or, where that does not settle them, in two.
fn measured<F: Real>(
    filter: &Filter,
    tensors: &mut [Lent<'_, F>],
    statistics: &mut [Option<BlockStatistics>],
) {
    passes::reduce(filter, tensors, statistics);
    let Some(floor) = filter.metric_floor(statistics) else {
        return;
    };
    if passes::is_open::<F>(filter, floor, statistics) {
        let second = passes::weigh(filter, floor, statistics, tensors);
        for (found, sums) in statistics.iter_mut().zip(second) {
            if let (Some(found), Some(sums)) = (found, sums) {
                found.weigh_anew(sums);
            }
        }
    }
}

fn slices<F>(parameters: &mut [impl AsMut<[F]>]) -> Vec<&mut [F]> {
    parameters.iter_mut().map(AsMut::as_mut).collect()
}

/// The parameters with their gradients and memory.
fn lend<'a, F: Real>(
    parameters: &'a mut [&mut [F]],
    gradients: impl Iterator<Item = Option<&'a [F]>>,
    memory: &'a mut [TensorMemory<F>],
) -> impl Iterator<Item = Lent<'a, F>> {
    let rows = parameters.iter_mut().zip(gradients).zip(memory);
    rows.enumerate()
        .map(|(position, ((parameters, gradients), memory))| Lent {
            position,
            parameters,
            gradients,
            memory: memory.slots_mut(),
        })
}

fn check_count(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::CountMismatch {
            what,
            expected,
            found,
        })
    }
}
