//! The optimizer for Burn modules.

use std::fmt;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use koala_filter::{Config, Filter, Group, MemoryKind, Phase, StepReport, TensorStep};

use crate::apply;
use crate::census::Census;
use crate::error::{Error, Result};
use crate::gradients;
use crate::group::{self, ParameterGroup};
use crate::measurement::Measurement;
use crate::memory::{self, Vectors};
use crate::reduce;
use crate::take::{Positions, Seen, look, positions};
use crate::values::UpdatePath;

/// KOALA-V, KOALA-M, KOALA++ or KOALA-A for the parameters of a Burn module, chosen by the configuration it is made with.
///
/// A step is [`predict`](Self::predict), then loss and gradients at the predicted parameters, then
/// [`update`](Self::update). Between the two the module's parameters stand at the filter's prediction: evaluate and
/// save between `update` and the next `predict`. The [crate's first page](crate) has an example.
///
/// Its parameters are the float parameters that require a gradient when it is made, known by their paths in the module;
/// a tied parameter is one parameter. All others (running statistics among them) are left alone and do not count.
#[derive(Clone)]
pub struct Koala {
    pub(crate) filter: Filter,
    /// One a parameter, in the layout's order.
    pub(crate) memory: Vec<Vectors>,
    pub(crate) path: UpdatePath,
    /// The parameters that predict saw, until update.
    predicted: Option<Vec<ParamId>>,
}

/// In short: a module that holds its optimizer is printed with it.
impl fmt::Debug for Koala {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Koala")
            .field("method", &self.filter.config().name())
            .field("step", &self.filter.step())
            .field("phase", &self.filter.phase())
            .field("parameters", &self.filter.layout().parameters().len())
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Koala {
    /// An optimizer for the parameters of `model`, in one group.
    ///
    /// # Errors
    /// As [`with_groups`](Self::with_groups).
    pub fn new<M: Module>(config: impl Into<Config>, model: &M) -> Result<Self> {
        Self::with_groups(config, model, [])
    }

    /// An optimizer for the parameters of `model`, some of them with options of their own. The first group that picks a
    /// parameter has it.
    ///
    /// # Errors
    /// [`Error::NothingToTrain`]; [`Error::EmptyGroup`]; [`Error::Core`] naming the field of the configuration or of a
    /// group that is wrong.
    pub fn with_groups<M: Module>(
        config: impl Into<Config>,
        model: &M,
        groups: impl IntoIterator<Item = ParameterGroup>,
    ) -> Result<Self> {
        let groups: Vec<_> = groups.into_iter().collect();
        let census = Census::of(model);
        let layout = group::layout(&census, &groups)?;
        let filter = Filter::new(config, layout)?;
        let kind = filter.config().memory();
        let ids = census.ids(filter.layout())?;
        let stores = kind != MemoryKind::None;
        let seen = look(model, &positions(&ids), UpdatePath::Automatic, |_| stores);
        let parameters = filter.layout().parameters().iter();
        let memory = parameters
            .zip(seen)
            .map(|(parameter, seen)| {
                seen.map_or_else(Vectors::default, |seen| {
                    memory::zeros(kind, parameter.len(), &seen)
                })
            })
            .collect();
        Ok(Self::from_parts(filter, memory))
    }

    pub(crate) fn from_parts(filter: Filter, memory: Vec<Vectors>) -> Self {
        Self {
            filter,
            memory,
            path: UpdatePath::Automatic,
            predicted: None,
        }
    }

    /// Chooses between direct work on memory (where possible, the default) and tensor operations everywhere.
    #[must_use]
    pub fn with_path(mut self, path: UpdatePath) -> Self {
        self.path = path;
        self
    }

    /// The filter: configuration, layout with the parameters' paths and groups, phase, step.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Sets e, the gain multiplier, from now on (the schedule goes on multiplying it).
    ///
    /// # Errors
    /// [`Error::Core`] if it is negative or not finite.
    pub fn set_gain(&mut self, gain: f64) -> Result<()> {
        Ok(self.filter.set_gain(gain)?)
    }

    /// Replaces the options of a group from now on: to unfreeze it, to change its gain. Index 0 is the default group,
    /// the groups given to [`with_groups`](Self::with_groups) follow in their order.
    ///
    /// # Errors
    /// [`Error::Core`] if there is no such group or its options are not valid.
    pub fn set_group(&mut self, index: usize, group: Group) -> Result<()> {
        Ok(self.filter.set_group(index, group)?)
    }

    /// The time update: moves the parameters to their prediction (KOALA-M and KOALA-A; the other methods leave them alone).
    /// Compute loss and gradients of this very model afterwards.
    ///
    /// # Errors
    /// [`Error::Core`] if the last step was not finished by an update; [`Error::ModelChanged`];
    /// [`Error::ReadBack`]. Nothing has changed then.
    pub fn predict<M: Module>(&mut self, model: &mut M) -> Result<()> {
        let motion = self.filter.begin_predict()?;
        let ids = Census::of(model).ids(self.filter.layout())?;
        let deviations = match motion {
            None => Vec::new(),
            Some(motion) => {
                let positions = positions(&ids);
                let filter = &self.filter;
                // Those that stand still count in the deviation, but do not move.
                let wanted = |at| motion.deviation.is_some() || filter.moves(at);
                let seen = look(model, &positions, self.path, wanted);
                self.follow(&seen);
                let mut deviations = reduce::deviations(&motion, &seen, &mut self.memory)?;
                drop(seen);
                apply::advance(
                    model,
                    &positions,
                    self.path,
                    &motion,
                    &self.filter,
                    &mut self.memory,
                    &mut deviations,
                );
                deviations
            }
        };
        self.filter.complete_predict(&deviations)?;
        self.predicted = Some(ids);
        Ok(())
    }

    /// Ends a step that was begun and will not be finished, such as one whose batch did not fit into memory: the prediction
    /// stands, and no measurement is counted as missing. Without a predict before it does nothing.
    pub fn abandon(&mut self) {
        self.filter.abandon();
        self.predicted = None;
    }

    /// The measurement update. `gradients`: of the plain mean loss at the predicted parameters; weight decay is not in
    /// them. `losses`: the per-sample losses, or an [`Observation`](koala_filter::Observation).
    ///
    /// A loss or gradient that is not finite is no error but a missing measurement: the report says so, and nothing but
    /// the prediction happened.
    ///
    /// # Errors
    /// [`Error::Core`] without a predict before, without a single loss, with a loss below its target under that
    /// policy, and after too many missing measurements in a row; [`Error::ModelChanged`], [`Error::AnotherModel`],
    /// [`Error::ForeignGradients`], [`Error::GradientShape`], [`Error::ReadBack`]. Nothing has changed then, but after
    /// too many missing measurements, which end the step.
    pub fn update<M: Module>(
        &mut self,
        model: &mut M,
        gradients: GradientsParams,
        losses: impl Into<Measurement>,
    ) -> Result<StepReport> {
        self.filter.require("update", Phase::Predicted)?;
        let losses = reduce::checked(losses.into())?;
        let ids = Census::of(model).ids(self.filter.layout())?;
        self.check_same_model(&ids)?;
        let positions = positions(&ids);
        let filter = &self.filter;
        let wanted = |at| filter.reduction(at).is_some();
        let seen = look(model, &positions, self.path, wanted);
        let layout = self.filter.layout();
        let gradients = gradients::collect(model, gradients, layout, &positions, &seen)?;
        self.follow(&seen);
        let (statistics, observation) =
            reduce::statistics(&self.filter, seen, &gradients, &self.memory, losses)?;
        let update = self.filter.update(&statistics, &observation);
        if self.filter.phase() == Phase::Updated {
            self.predicted = None;
        }
        let update = update?;
        let moves = |step: &TensorStep| matches!(step, TensorStep::Move(_));
        if update.steps.iter().any(moves) {
            apply::displace(
                model,
                &positions,
                self.path,
                &update.steps,
                gradients,
                &mut self.memory,
            );
        }
        self.average(model, &positions, &update.steps);
        Ok(update.report)
    }

    /// The means of the parameters that stand still follow them.
    fn average<M: Module>(&mut self, model: &M, positions: &Positions, steps: &[TensorStep]) {
        let stands = |at: usize| matches!(steps[at], TensorStep::Average(_));
        let Some(slot) = self.filter.config().memory().mean_slot() else {
            return;
        };
        if (0..steps.len()).any(stands) {
            let seen = look(model, positions, self.path, stands);
            self.follow(&seen);
            apply::average(steps, seen, slot, &mut self.memory);
        }
    }

    /// Bytes of the tensors that it keeps beside the parameters: none for KOALA-V, as many as the parameters' own for
    /// KOALA-M's velocities, three times as many for KOALA-A. The filter's scalars, a few a tensor, are not counted.
    pub fn memory_bytes(&self) -> u64 {
        self.memory
            .iter()
            .flatten()
            .flatten()
            .map(|v| v.bytes() as u64)
            .sum()
    }

    fn check_same_model(&self, ids: &[ParamId]) -> Result<()> {
        let predicted = self.predicted.as_deref().unwrap_or_default();
        match (0..ids.len()).find(|&at| predicted.get(at) != Some(&ids[at])) {
            None => Ok(()),
            Some(at) => Err(Error::AnotherModel {
                parameter: self.filter.layout().parameters()[at].name.to_string(),
            }),
        }
    }

    /// Brings the vectors to where the parameters are.
    fn follow(&mut self, seen: &[Option<Seen>]) {
        let parameters = self.filter.layout().parameters();
        for ((vectors, seen), parameter) in self.memory.iter_mut().zip(seen).zip(parameters) {
            if let Some(seen) = seen {
                memory::follow(vectors, parameter.len(), seen);
            }
        }
    }
}
