//! The optimizer over slices.

use super::lent::Lent;
use super::passes;
use super::real::Real;
use super::state::{DenseState, TensorMemory};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::group::Group;
use crate::layout::Layout;
use crate::methods::Config;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::report::StepReport;

/// KOALA-V, KOALA-M, KOALA++ or KOALA-A over slices of `F`, chosen by the configuration it is made with.
///
/// A step is [`predict`](Self::predict), then loss and gradients at the predicted parameters, then
/// [`update`](Self::update). All parameters are passed to both, in the same order every time. The crate's first page has
/// an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Koala<F: Real> {
    filter: Filter,
    memory: Vec<TensorMemory<F>>,
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
        Ok(Self { filter, memory })
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
        let misfit = parameters
            .iter()
            .zip(&state.memory)
            .find(|(parameter, memory)| !memory.fits(kind, parameter.len()));
        if let Some((parameter, _)) = misfit {
            return Err(Error::DamagedState {
                what: format!("memory of '{}' has the wrong length", parameter.name),
            });
        }
        Ok(Self {
            filter,
            memory: state.memory,
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
    pub fn add_group<N: Into<String>>(
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
    pub fn predict(&mut self, parameters: &mut [&mut [F]]) -> Result<()> {
        let motion = self.filter.begin_predict()?;
        self.check_parameters(&lengths(parameters))?;
        let Some(motion) = motion else {
            return self.filter.complete_predict(&[]);
        };
        let filter = &self.filter;
        let none = vec![None; self.memory.len()];
        let tensors = lend(parameters, &none, &mut self.memory, |_| true);
        let deviations = passes::advance(&motion, |position| filter.moves(position), tensors);
        self.filter.complete_predict(&deviations)
    }

    /// Ends a step that was begun and will not be finished: the prediction stands, and no measurement is counted as missing.
    /// Without a predict before it does nothing.
    pub fn abandon(&mut self) {
        self.filter.abandon();
    }

    /// The measurement update. `gradients`: of the plain mean loss at the predicted parameters, one a parameter,
    /// `None` (or an option that is) where there is none; weight decay is not in them.
    ///
    /// # Errors
    /// As [`Filter::update`], and [`Error::LengthMismatch`].
    pub fn update<'g, G: Copy + Into<Option<&'g [F]>>>(
        &mut self,
        parameters: &mut [&mut [F]],
        gradients: &[G],
        observation: &Observation,
    ) -> Result<StepReport> {
        self.filter.require("update", Phase::Predicted)?;
        self.check_parameters(&lengths(parameters))?;
        let gradients = self.checked_gradients(gradients)?;
        let given = |position: usize| gradients[position].is_some();
        let mut tensors = lend(parameters, &gradients, &mut self.memory, given);
        let positions: Vec<usize> = tensors.iter().map(|tensor| tensor.position).collect();
        let sums = passes::reduce(&self.filter, tensors.iter_mut().map(Lent::again).collect());
        let mut statistics = vec![None; gradients.len()];
        for (&position, sum) in positions.iter().zip(sums) {
            statistics[position] = sum;
        }
        if let Some(floor) = self.filter.metric_floor(&statistics) {
            let sums = passes::weigh(&self.filter, floor, tensors);
            for (&position, sum) in positions.iter().zip(sums) {
                if let Some(found) = &mut statistics[position] {
                    found.metric += sum;
                }
            }
        }
        let update = self.filter.update(&statistics, observation)?;
        let tensors = lend(parameters, &gradients, &mut self.memory, |_| true);
        passes::displace(&update.steps, tensors);
        Ok(update.report)
    }

    /// The parameters at which the model is to be evaluated: KOALA-A's mean x̄, where one is kept; else the parameters as
    /// they are. Running statistics that a model keeps (batch normalisation) belong to other parameters and must be found
    /// anew there.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] between predict and update, when the parameters stand at their prediction;
    /// [`Error::CountMismatch`], [`Error::LengthMismatch`].
    pub fn evaluation(&self, parameters: &[&[F]]) -> Result<Vec<Vec<F>>> {
        self.filter.require("evaluation", Phase::Updated)?;
        let lengths: Vec<usize> = parameters.iter().map(|x| x.len()).collect();
        self.check_parameters(&lengths)?;
        let slot = self.filter.config().memory().mean_slot();
        Ok(parameters
            .iter()
            .zip(&self.memory)
            .enumerate()
            .map(|(position, (x, memory))| match slot {
                Some(slot) if self.filter.averaged(position) => memory.slots()[slot].to_vec(),
                _ => x.to_vec(),
            })
            .collect())
    }

    fn check_parameters(&self, lengths: &[usize]) -> Result<()> {
        let expected = self.filter.layout().parameters();
        check_count("parameters", expected.len(), lengths.len())?;
        lengths
            .iter()
            .enumerate()
            .try_for_each(|(tensor, &length)| self.check_length("parameter", tensor, length))
    }

    fn checked_gradients<'g, G: Copy + Into<Option<&'g [F]>>>(
        &self,
        gradients: &[G],
    ) -> Result<Vec<Option<&'g [F]>>> {
        check_count("gradients", self.memory.len(), gradients.len())?;
        gradients
            .iter()
            .enumerate()
            .map(|(tensor, &gradient)| {
                let gradient: Option<&[F]> = gradient.into();
                if let Some(g) = gradient {
                    self.check_length("gradient", tensor, g.len())?;
                }
                Ok(gradient)
            })
            .collect()
    }

    fn check_length(&self, what: &'static str, tensor: usize, found: usize) -> Result<()> {
        let parameter = &self.filter.layout().parameters()[tensor];
        if parameter.len() == found {
            Ok(())
        } else {
            Err(Error::LengthMismatch {
                what,
                name: parameter.name.clone(),
                expected: parameter.len(),
                found,
            })
        }
    }
}

fn lengths<F>(slices: &[&mut [F]]) -> Vec<usize> {
    slices.iter().map(|slice| slice.len()).collect()
}

/// The wanted parameters with their gradients and memory.
fn lend<'a, F: Real>(
    parameters: &'a mut [&mut [F]],
    gradients: &[Option<&'a [F]>],
    memory: &'a mut [TensorMemory<F>],
    wanted: impl Fn(usize) -> bool,
) -> Vec<Lent<'a, F>> {
    parameters
        .iter_mut()
        .zip(gradients)
        .zip(memory)
        .enumerate()
        .filter(|(position, _)| wanted(*position))
        .map(|(position, ((parameters, gradients), memory))| Lent {
            position,
            parameters,
            gradients: gradients.unwrap_or_default(),
            memory: memory.slots_mut(),
        })
        .collect()
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
