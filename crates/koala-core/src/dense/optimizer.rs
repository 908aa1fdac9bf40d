//! The optimizer over slices.

use super::kernel;
use super::pieces::{Piece, cut, run};
use super::real::Real;
use super::state::{DenseState, TensorMemory};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::layout::Layout;
use crate::method::Config;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::plan::TensorStep;
use crate::report::StepReport;
use crate::statistics::BlockStatistics;

/// KOALA-V, KOALA-M or KOALA++ over slices of `F`, chosen by the configuration it is made with.
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
        let vectors = config.memory().names().len();
        let filter = Filter::new(config, layout)?;
        let memory = filter
            .layout()
            .parameters()
            .iter()
            .map(|parameter| TensorMemory::zeros(vectors, parameter.len()))
            .collect();
        Ok(Self { filter, memory })
    }

    /// An optimizer that goes on where `state` was taken, to the bit.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], [`Error::DamagedState`], [`Error::InvalidField`].
    pub fn from_state(state: DenseState<F>) -> Result<Self> {
        let filter = Filter::from_state(state.filter)?;
        let vectors = filter.config().memory().names().len();
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
            .find(|(parameter, memory)| !memory.fits(vectors, parameter.len()));
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

    /// The filter, to change its gain or its groups.
    pub fn filter_mut(&mut self) -> &mut Filter {
        &mut self.filter
    }

    /// The time update: moves the parameters to their prediction (KOALA-M; the others leave them alone).
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] without an update since the last predict; [`Error::CountMismatch`],
    /// [`Error::LengthMismatch`]. Nothing has changed then.
    pub fn predict(&mut self, parameters: &mut [&mut [F]]) -> Result<()> {
        let motion = self.filter.begin_predict()?;
        self.check_parameters(parameters)?;
        let Some(motion) = motion else {
            return self.filter.complete_predict(&[]);
        };
        let mut pieces = Vec::new();
        for (tensor, (x, memory)) in parameters.iter_mut().zip(&mut self.memory).enumerate() {
            cut(
                &mut pieces,
                tensor,
                x,
                &[],
                &mut memory.first,
                &mut memory.second,
            );
        }
        let filter = &self.filter;
        let sums = run(pieces, |piece| {
            let frozen = filter.is_frozen(piece.tensor);
            let sum = kernel::advance(&motion, frozen, piece.parameters, piece.first, piece.second);
            (piece.tensor, sum)
        });
        let mut deviations = vec![0.0; parameters.len()];
        for (tensor, sum) in sums {
            deviations[tensor] += sum;
        }
        self.filter.complete_predict(&deviations)
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
        self.check_parameters(parameters)?;
        let gradients = self.checked_gradients(gradients)?;
        let statistics = self.reduce(parameters, &gradients);
        let update = self.filter.update(&statistics, observation)?;
        let steps = &update.steps;
        run(
            Self::pieces(parameters, &gradients, &mut self.memory, |tensor| {
                matches!(steps[tensor], TensorStep::Move(_))
            }),
            |piece| {
                if let TensorStep::Move(displacement) = &steps[piece.tensor] {
                    kernel::displace(
                        displacement,
                        piece.parameters,
                        piece.gradients,
                        piece.first,
                        piece.second,
                    );
                }
            },
        );
        Ok(update.report)
    }

    /// The sums of every parameter that has a gradient and is not frozen, pieces added in order.
    fn reduce(
        &mut self,
        parameters: &mut [&mut [F]],
        gradients: &[Option<&[F]>],
    ) -> Vec<Option<BlockStatistics>> {
        let filter = &self.filter;
        let reductions: Vec<_> = (0..parameters.len())
            .map(|tensor| {
                filter
                    .reduction(tensor)
                    .filter(|_| gradients[tensor].is_some())
            })
            .collect();
        let pieces = Self::pieces(parameters, gradients, &mut self.memory, |tensor| {
            reductions[tensor].is_some()
        });
        let sums = run(pieces, |piece| {
            let sum = reductions[piece.tensor].map(|reduction| {
                kernel::reduce(
                    &reduction,
                    piece.parameters,
                    piece.gradients,
                    piece.first,
                    piece.second,
                )
            });
            (piece.tensor, sum)
        });
        let mut statistics: Vec<_> = reductions
            .iter()
            .map(|reduction| reduction.map(|_| BlockStatistics::default()))
            .collect();
        for (tensor, sum) in sums {
            if let (Some(total), Some(sum)) = (&mut statistics[tensor], sum) {
                *total += sum;
            }
        }
        statistics
    }

    /// The pieces of the wanted parameters, each of which has a gradient.
    fn pieces<'a>(
        parameters: &'a mut [&mut [F]],
        gradients: &[Option<&'a [F]>],
        memory: &'a mut [TensorMemory<F>],
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Piece<'a, F>> {
        let mut pieces = Vec::new();
        for (tensor, (x, memory)) in parameters.iter_mut().zip(memory).enumerate() {
            if let (true, Some(g)) = (wanted(tensor), gradients[tensor]) {
                cut(
                    &mut pieces,
                    tensor,
                    x,
                    g,
                    &mut memory.first,
                    &mut memory.second,
                );
            }
        }
        pieces
    }

    fn check_parameters(&self, parameters: &[&mut [F]]) -> Result<()> {
        let expected = self.filter.layout().parameters();
        check_count("parameters", expected.len(), parameters.len())?;
        parameters
            .iter()
            .enumerate()
            .try_for_each(|(tensor, x)| self.check_length("parameter", tensor, x.len()))
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
