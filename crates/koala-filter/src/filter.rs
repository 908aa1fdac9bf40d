//! The filter: statistics and an observation in, steps and a report out. It never sees a tensor.
//!
//! A step of an adapter is
//!
//! 1. [`Filter::begin_predict`]: what to do with the parameters, if anything; the adapter does it and sums deviations;
//! 2. [`Filter::complete_predict`] with those sums: the time update;
//! 3. loss and gradients at the predicted parameters;
//! 4. [`Filter::reduction`] for each parameter: which sums to take, and [`Filter::metric_floor`] if there is a second reading;
//! 5. [`Filter::update`]: the measurement update; the adapter does the steps that come out. Or
//!    [`Filter::update_and_predict`], with which they do the next predict too.

use std::sync::Arc;

use crate::alone;
use crate::decay::WeightDecay;
use crate::error::{Error, Result};
use crate::exact_sum::order_free_sum;
use crate::group::Group;
use crate::layout::{Layout, Partition};
use crate::methods::{AnyMethod, Config};
use crate::observation::Observation;
use crate::phase::Phase;
use crate::plan::{Motion, TensorStep};
use crate::report::{Covariance, ProcessNoise, StepReport};
use crate::state::{FilterState, STATE_VERSION, block_count};
use crate::statistics::{BlockStatistics, MetricFloor, Reduction, largest};
use crate::update::{self, Update};
use crate::workspace::Workspace;

/// The filter of any of the methods over a layout of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    state: FilterState,
}

impl Filter {
    /// A filter at its start.
    ///
    /// # Errors
    /// [`Error::InvalidField`] if the configuration or a group is not valid.
    pub fn new(config: impl Into<Config>, layout: Layout) -> Result<Self> {
        let config = config.into();
        config.validate()?;
        let blocks = block_count(&layout, config.options().partition);
        Self::from_state(FilterState {
            version: STATE_VERSION,
            phase: Phase::Updated,
            step: 0,
            measurement_noise: config.options().measurement_noise.initial(),
            method: AnyMethod::new(config, layout.parameters().len(), blocks),
            missing_in_a_row: 0,
            missing_in_all: 0,
            clamped_in_all: 0,
            first_loss: None,
            layout,
        })
    }

    /// A filter that goes on where `state` was taken.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], [`Error::DamagedState`], [`Error::InvalidField`].
    pub fn from_state(state: FilterState) -> Result<Self> {
        state.validate()?;
        let filter = Self { state };
        filter.check_decay_rules()?;
        Ok(filter)
    }

    /// The state, to be stored.
    pub fn state(&self) -> &FilterState {
        &self.state
    }

    /// The configuration, as it is now.
    pub fn config(&self) -> Config {
        self.state.config()
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.state.layout
    }

    /// Where in the predict/update cycle.
    pub fn phase(&self) -> Phase {
        self.state.phase
    }

    /// Number of updates done.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// R.
    pub fn measurement_noise(&self) -> f64 {
        self.state.measurement_noise
    }

    /// P.
    pub fn covariance(&self) -> Covariance {
        self.state.method.covariance()
    }

    /// Q, or q_x and q_v.
    pub fn process_noise(&self) -> ProcessNoise {
        self.state.method.process_noise()
    }

    /// e of the next update, before the groups' own: gain times schedule.
    pub fn gain(&self) -> f64 {
        self.state.gain()
    }

    /// Sets the gain from now on (the schedule goes on multiplying it).
    ///
    /// # Errors
    /// [`Error::InvalidField`] if it is negative or not finite.
    pub fn set_gain(&mut self, gain: f64) -> Result<()> {
        crate::options::not_negative("options.gain", gain)?;
        self.state.method.options_mut().gain = gain;
        Ok(())
    }

    /// Replaces the options of a group from now on: to unfreeze it, to change its gain.
    ///
    /// # Errors
    /// [`Error::InvalidField`] if there is no such group or its options are not valid.
    pub fn set_group(&mut self, index: usize, group: Group) -> Result<()> {
        group.validate(&format!("groups[{index}]"))?;
        let mut changed = self.clone();
        match changed.state.layout.groups_mut().get_mut(index) {
            Some(slot) => *slot = group,
            None => {
                return Err(Error::invalid(
                    "group",
                    index,
                    "the index of an existing group",
                ));
            }
        }
        changed.check_decay_rules()?;
        *self = changed;
        Ok(())
    }

    /// Adds a group with further parameters, such as layers that are trained from now on; returns its index. What the
    /// filter has learnt stays; memory of the new parameters starts at zero, and their blocks as in a first step.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] between predict and update; [`Error::InvalidField`] if the options are not valid or a name
    /// is in use. Nothing has changed then.
    pub fn add_group<N: Into<Arc<str>>>(
        &mut self,
        group: Group,
        parameters: impl IntoIterator<Item = (N, Vec<usize>)>,
    ) -> Result<usize> {
        self.require("add_group", Phase::Updated)?;
        let mut changed = self.clone();
        let index = changed.state.layout.groups().len();
        let layout = std::mem::take(&mut changed.state.layout).with_group(group);
        changed.state.layout = parameters
            .into_iter()
            .fold(layout, |layout, (name, shape)| {
                layout.with_parameter(name, &shape, index)
            });
        let partition = changed.state.method.options().partition;
        let blocks = block_count(&changed.state.layout, partition);
        let tensors = changed.state.layout.parameters().len();
        changed.state.method.extend(tensors, blocks);
        *self = Self::from_state(changed.state)?;
        Ok(index)
    }

    /// Follows a model whose parameters have changed: tensors that were pruned or grown, added, removed or put into another
    /// group. `from`: for each parameter of the new layout the position of the one that it goes on, of whatever shape;
    /// `None` for one that is new, whose memory starts at zero and whose block as in a first step. R, P and Q stay.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] between predict and update; [`Error::CountMismatch`]; [`Error::InvalidField`] if the layout is
    /// not valid, or a parameter goes on one that is not there or that another one goes on. Nothing has changed then.
    pub fn rearrange(&mut self, layout: Layout, from: &[Option<usize>]) -> Result<()> {
        self.require("rearrange", Phase::Updated)?;
        let expected = layout.parameters().len();
        if from.len() != expected {
            return Err(Error::CountMismatch {
                what: "origins",
                expected,
                found: from.len(),
            });
        }
        let mut taken = vec![false; self.state.layout.parameters().len()];
        for &position in from.iter().flatten() {
            match taken.get_mut(position) {
                Some(taken) if !*taken => *taken = true,
                _ => {
                    return Err(Error::invalid(
                        "from",
                        position,
                        "the position of a parameter that no other one goes on",
                    ));
                }
            }
        }
        let mut changed = self.clone();
        let blocks = match changed.state.partition() {
            Partition::PerTensor => from.to_vec(),
            Partition::Global => vec![Some(0)],
        };
        changed.state.layout = layout;
        changed.state.method.rearrange(from, &blocks);
        *self = Self::from_state(changed.state)?;
        Ok(())
    }

    /// First half of predict: what to do with the parameters. With `None` they are left alone (KOALA-V, KOALA++).
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] if the last step was not finished by an update.
    pub fn begin_predict(&self) -> Result<Option<Motion>> {
        self.require("predict", Phase::Updated)?;
        Ok(self.state.method.motion())
    }

    /// Second half of predict: the time update. `deviations`: |a - x|^2 of each parameter where the motion asks for
    /// it, else empty.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] if the last step was not finished by an update.
    pub fn complete_predict(&mut self, deviations: &[f64]) -> Result<()> {
        self.require("predict", Phase::Updated)?;
        let deviation = order_free_sum(deviations.iter().copied());
        let elements = self.state.layout.element_count();
        self.state.method.predict(deviation, elements);
        self.state.phase = Phase::Predicted;
        Ok(())
    }

    /// Ends a step that was begun and will not be finished, such as one whose batch did not fit into memory: the prediction
    /// stands, as after a missing measurement, but none is counted, and no step either. Without a predict before it does
    /// nothing.
    pub fn abandon(&mut self) {
        self.state.phase = Phase::Updated;
    }

    /// Which sums the parameter at `position` needs in this update; `None` if it is frozen.
    pub fn reduction(&self, position: usize) -> Option<Reduction> {
        (!self.state.is_frozen(position)).then(|| Reduction {
            decay: self.state.decay(position).in_measurement(),
            sums: self.state.method.sums(position),
        })
    }

    /// The floor of the metric in this update, from the first reading of all tensors (their largest ŝ), with which those that
    /// it [does not settle](Reduction::settles) are to be read again; `None` if the method asks for no second reading, or if
    /// it would be of no use: something is not finite.
    pub fn metric_floor(&self, statistics: &[Option<BlockStatistics>]) -> Option<f64> {
        let floor = self.metric_floor_rule()?.at(largest(statistics));
        floor.is_finite().then_some(floor)
    }

    /// How [`metric_floor`](Self::metric_floor) is found, for an adapter that finds it where its tensors are, without reading
    /// the largest ŝ back; `None` if the method asks for no second reading.
    pub fn metric_floor_rule(&self) -> Option<MetricFloor> {
        self.state.method.floor()
    }

    /// Whether predict moves the parameter at `position`, if the method moves any: it is not frozen and, with KOALA-A, had
    /// a gradient in the last update.
    pub fn moves(&self, position: usize) -> bool {
        !self.is_frozen(position) && self.state.method.moves(position)
    }

    /// While the parameters stand at their prediction: kappa, if the one at `position` was moved there from x - v/kappa.
    pub fn velocity_taken(&self, position: usize) -> Option<f64> {
        let motion = self.state.method.motion()?;
        let moved = self.phase() == Phase::Predicted && self.moves(position);
        // With kappa = 0 there are no velocities.
        (moved && motion.velocity_decay > 0.0).then_some(motion.velocity_decay)
    }

    /// Whether the stored mean of the parameter at `position` is where the model is to be evaluated (KOALA-A). If not, it
    /// is evaluated where it is.
    pub fn averaged(&self, position: usize) -> bool {
        self.state.method.averaged(position)
    }

    /// Whether the parameter at `position` is frozen.
    pub fn is_frozen(&self, position: usize) -> bool {
        self.state.is_frozen(position)
    }

    /// The measurement update. `statistics`: one a parameter, in the layout's order, `None` where there is no
    /// gradient. On an error nothing has changed, but for [`Error::TooManyMissing`], which ends the step as any missing
    /// measurement does.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] without a predict before; [`Error::CountMismatch`]; [`Error::EmptyObservation`];
    /// [`Error::LossBelowTarget`] under that policy; [`Error::TooManyMissing`].
    pub fn update(
        &mut self,
        statistics: &[Option<BlockStatistics>],
        observation: &Observation,
    ) -> Result<Update> {
        let mut workspace = Workspace::of(statistics.to_vec());
        let report = self.update_in(&mut workspace, observation)?;
        let steps = workspace.steps;
        Ok(Update { steps, report })
    }

    /// [`update`](Self::update) of the statistics in `workspace`, where its steps stand afterwards: for adapters that keep it from
    /// one update to the next.
    ///
    /// # Errors
    /// As [`update`](Self::update); the steps are of no use then.
    pub fn update_in(
        &mut self,
        workspace: &mut Workspace,
        observation: &Observation,
    ) -> Result<StepReport> {
        self.require("update", Phase::Predicted)?;
        let expected = self.state.layout.parameters().len();
        let found = workspace.statistics.len();
        if found != expected {
            return Err(Error::CountMismatch {
                what: "statistics",
                expected,
                found,
            });
        }
        if observation.count() == 0 {
            return Err(Error::EmptyObservation);
        }
        update::update(&mut self.state, workspace, observation)
    }

    /// What [`update`](Self::update) will have the parameter at `position` do, before the sums of the others are known: with it an
    /// adapter moves a tensor in the middle of backward, and lets go of its gradient. Changes nothing here; when all gradients
    /// have been there, `update` with the sums of all of them does the rest. A tensor whose sums are not finite is left alone: by
    /// then others may have moved, so that the measurement is not missing as a whole. Give `update` `None` for it.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] without a predict before; [`Error::EmptyObservation`]; [`Error::InvalidField`] if tensors do not move
    /// apart from each other: with KOALA-A, with one block for all, with a bound on the whole update; [`Error::LossBelowTarget`]
    /// under that policy; [`Error::CountMismatch`] without such a parameter.
    pub fn tensor_update(
        &self,
        position: usize,
        statistics: &BlockStatistics,
        observation: &Observation,
    ) -> Result<TensorStep> {
        self.require("tensor_update", Phase::Predicted)?;
        let expected = self.state.layout.parameters().len();
        if position >= expected {
            return Err(Error::CountMismatch {
                what: "parameters",
                expected,
                found: position + 1,
            });
        }
        if observation.count() == 0 {
            return Err(Error::EmptyObservation);
        }
        alone::tensor_update(&self.state, position, statistics, observation)
    }

    /// [`update_in`](Self::update_in), and the next predict with it where it needs no numbers of its own, so that both take one pass
    /// over memory: the steps do both, and the filter stands [predicted](Phase::Predicted). With KOALA-M's measured position
    /// noise predict stays to be done, and the filter is [updated](Phase::Updated).
    ///
    /// # Errors
    /// As [`update_in`](Self::update_in); after [`Error::TooManyMissing`] predict stays to be done.
    pub fn update_and_predict(
        &mut self,
        workspace: &mut Workspace,
        observation: &Observation,
    ) -> Result<StepReport> {
        let report = self.update_in(workspace, observation)?;
        match self.begin_predict()? {
            Some(Motion {
                deviation: Some(_), ..
            }) => return Ok(report),
            Some(motion) => {
                for (position, step) in workspace.steps.iter_mut().enumerate() {
                    if self.moves(position) {
                        step.then_predict(motion.velocity_decay);
                    }
                }
            }
            None => {}
        }
        self.complete_predict(&[])?;
        Ok(report)
    }

    /// Checks that `called` may be called now.
    ///
    /// # Errors
    /// [`Error::OutOfPhase`] saying what to do instead.
    pub fn require(&self, called: &'static str, phase: Phase) -> Result<()> {
        if self.state.phase == phase {
            Ok(())
        } else {
            Err(Error::out_of_phase(called, self.state.phase))
        }
    }

    /// Not every method knows gain-only decay.
    fn check_decay_rules(&self) -> Result<()> {
        let gain_only = |decay: &WeightDecay| {
            decay.rule == crate::decay::DecayRule::GainOnly && decay.rate > 0.0
        };
        let groups = self.state.layout.groups();
        let used = groups
            .iter()
            .filter_map(|group| group.weight_decay)
            .chain([self.state.method.options().weight_decay]);
        let refused = !self.state.method.demands().gain_only_decay;
        if refused && used.into_iter().any(|decay| gain_only(&decay)) {
            return Err(Error::invalid(
                "weight-decay.rule",
                "gain-only",
                "coupled or decoupled with KOALA++ and KOALA-A",
            ));
        }
        Ok(())
    }
}
