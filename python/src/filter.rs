//! `koala_filter::Filter` as a Python class, with its passes over CPU tensors.

use koala_filter::dense::passes;
use koala_filter::{
    BlockStatistics, Config, Deviation, Filter, FilterState, Group, Layout, MetricSums,
    Observation, Phase, StepReport, Sums, TensorStep, Workspace,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::de::DeserializeOwned;

use crate::error::{malformed, raised, written};
use crate::lent::{Slices, Tensors};
use crate::measured::{Given, Measured};
use crate::numbers::{Numbers, metric_numbers, statistics_of, sums_of};
use crate::pool;
use crate::step::Step;
use crate::tensor::Element;

/// The filter of one optimizer.
#[pyclass(name = "Filter", module = "koala_optim._native")]
pub(crate) struct PyFilter {
    filter: Filter,
    /// With the steps of the last update.
    workspace: Workspace,
    report: Option<StepReport>,
}

#[pymethods]
impl PyFilter {
    /// A filter at its start. `config`: JSON of a configuration; `group`: JSON of the first group's options;
    /// `parameters`: its names and shapes.
    #[new]
    fn new(config: &str, group: &str, parameters: Vec<(String, Vec<usize>)>) -> PyResult<Self> {
        let config: Config = parsed("configuration", config)?;
        let layout = parameters
            .into_iter()
            .fold(Layout::new(), |layout, (name, shape)| {
                layout.with_parameter(name, &shape, 0)
            });
        let mut filter = Filter::new(config, layout).map_err(raised)?;
        filter
            .set_group(0, parsed("group", group)?)
            .map_err(raised)?;
        Ok(Self::from(filter))
    }

    /// A filter that goes on where the state (JSON) was taken.
    #[staticmethod]
    fn from_state(state: &str) -> PyResult<Self> {
        let state: FilterState = parsed("optimizer state", state)?;
        Ok(Self::from(Filter::from_state(state).map_err(raised)?))
    }

    /// The state, as JSON.
    fn state(&self) -> PyResult<String> {
        written(self.filter.state())
    }

    /// The configuration, as JSON.
    fn config(&self) -> PyResult<String> {
        written(&self.filter.config())
    }

    /// R, P and Q as they are now, as JSON.
    fn noise(&self) -> PyResult<String> {
        written(&serde_json::json!({
            "measurement_noise": self.filter.measurement_noise(),
            "covariance": self.filter.covariance(),
            "process_noise": self.filter.process_noise(),
        }))
    }

    /// Names and shapes of the parameters.
    fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let parameters = self.filter.layout().parameters().iter();
        parameters
            .map(|parameter| (parameter.name.to_string(), parameter.shape.clone()))
            .collect()
    }

    /// Names of the vectors that the method stores for each parameter, by the slots in which the passes expect them:
    /// `None` where it stores nothing.
    fn memory(&self) -> Vec<Option<String>> {
        let slots = self.filter.config().memory().slots();
        slots
            .iter()
            .map(|slot| slot.map(|name| name.replace('-', "_")))
            .collect()
    }

    /// The slot of the mean at which the model is to be evaluated, if the method keeps one.
    fn mean_slot(&self) -> Option<usize> {
        self.filter.config().memory().mean_slot()
    }

    /// While the parameters stand at their prediction: kappa, if the one at `position` was moved there from x - v / kappa.
    fn velocity_taken(&self, position: usize) -> PyResult<Option<f64>> {
        self.check(position)?;
        Ok(self.filter.velocity_taken(position))
    }

    /// Whether the stored mean of the parameter at `position` is where the model is to be evaluated.
    fn averaged(&self, position: usize) -> PyResult<bool> {
        self.check(position)?;
        Ok(self.filter.averaged(position))
    }

    /// Whether predict moves the parameter at `position`.
    fn moves(&self, position: usize) -> PyResult<bool> {
        self.check(position)?;
        Ok(self.filter.moves(position))
    }

    #[getter]
    fn predicted(&self) -> bool {
        self.filter.phase() == Phase::Predicted
    }

    #[getter]
    fn step(&self) -> u64 {
        self.filter.step()
    }

    /// Adds a group (JSON) with further parameters; returns its index.
    fn add_group(&mut self, group: &str, parameters: Vec<(String, Vec<usize>)>) -> PyResult<usize> {
        self.filter
            .add_group(parsed("group", group)?, parameters)
            .map_err(raised)
    }

    /// Replaces the options of a group (JSON).
    fn set_group(&mut self, index: usize, group: &str) -> PyResult<()> {
        self.filter
            .set_group(index, parsed::<Group>("group", group)?)
            .map_err(raised)
    }

    /// Follows parameter groups that have changed. `groups`: JSON of each one's options; `parameters`: of each its name, its
    /// shape, the index of its group, and the position of the one that it goes on, `None` if it is new.
    fn rearrange(
        &mut self,
        groups: Vec<String>,
        parameters: Vec<(String, Vec<usize>, usize, Option<usize>)>,
    ) -> PyResult<()> {
        let mut layout = Layout::new();
        // The first group is the layout's own.
        for _ in 1..groups.len() {
            layout = layout.with_group(Group::default());
        }
        let from: Vec<_> = parameters.iter().map(|parameter| parameter.3).collect();
        for (name, shape, group, _) in parameters {
            layout = layout.with_parameter(name, &shape, group);
        }
        let mut changed = self.filter.clone();
        changed.rearrange(layout, &from).map_err(raised)?;
        for (index, group) in groups.iter().enumerate() {
            changed
                .set_group(index, parsed("group", group)?)
                .map_err(raised)?;
        }
        self.filter = changed;
        self.workspace.steps.clear();
        Ok(())
    }

    /// Ends a step that was begun, if one was: the prediction stands, and nothing is counted.
    fn abandon(&mut self) {
        self.filter.abandon();
    }

    /// What predict does to the parameters: (velocity decay, whether |a - x|^2 is summed, weight of a running mean taken
    /// before); `None` if nothing.
    fn motion(&self) -> PyResult<Option<(f64, bool, Option<f64>)>> {
        let motion = self.filter.begin_predict().map_err(raised)?;
        Ok(motion.map(|motion| {
            let averaging = motion
                .deviation
                .and_then(|Deviation { averaging }| averaging);
            (motion.velocity_decay, motion.deviation.is_some(), averaging)
        }))
    }

    /// Ends predict. `deviations`: |a - x|^2 of each parameter, if they were asked for.
    fn complete_predict(&mut self, deviations: Vec<f64>) -> PyResult<()> {
        self.filter.complete_predict(&deviations).map_err(raised)
    }

    /// For the parameter at `position`: (decay, name of the sums, smoothing and correction of the second moment); `None` if
    /// it is frozen.
    fn reduction(&self, position: usize) -> PyResult<Option<(f64, &'static str, f64, f64)>> {
        self.check(position)?;
        let reduction = self.filter.reduction(position);
        Ok(reduction.map(|reduction| {
            let (name, smoothing, correction) = match reduction.sums {
                Sums::Gradient => ("gradient", 0.0, 0.0),
                Sums::Products => ("products", 0.0, 0.0),
                Sums::UnitMetric => ("unit-metric", 0.0, 0.0),
                Sums::DiagonalMetric {
                    smoothing,
                    correction,
                    ..
                } => ("diagonal-metric", smoothing, correction),
            };
            (reduction.decay, name, smoothing, correction)
        }))
    }

    /// (epsilon, least) of the metric's floor, epsilon sqrt(largest second moment of all parameters) + least, if the method
    /// wants a second reading with it.
    fn floor(&self) -> Option<(f64, f64)> {
        let rule = self.filter.metric_floor_rule()?;
        Some((rule.epsilon, rule.least))
    }

    /// The measurement update. `statistics`: what [`measure`](Self::measure) found, or the sums of each parameter, `None`
    /// without a gradient. `predicting`: joined with the next predict, where that needs no numbers of its own.
    #[pyo3(signature = (statistics, sum, sum_of_squares, count, predicting=false))]
    fn update(
        &mut self,
        statistics: Given<'_>,
        sum: f64,
        sum_of_squares: f64,
        count: u64,
        predicting: bool,
    ) -> PyResult<()> {
        match &statistics {
            Given::Measured(measured) => {
                let statistics = &measured.get().statistics;
                self.workspace.statistics.clone_from(statistics);
            }
            Given::Sums(sums) => self.workspace.statistics = self.statistics(sums)?,
        }
        let observation = Observation::from_sums(sum, sum_of_squares, count).map_err(raised)?;
        self.workspace.steps.clear();
        let report = if predicting {
            self.filter
                .update_and_predict(&mut self.workspace, &observation)
        } else {
            self.filter.update_in(&mut self.workspace, &observation)
        };
        if report.is_err() {
            self.workspace.steps.clear();
        }
        self.report = Some(report.map_err(raised)?);
        Ok(())
    }

    /// Makes the step of the parameter at `position` that of the update to come, of its sums and the losses alone. The state of
    /// the filter stays what it is.
    fn update_tensor(
        &mut self,
        position: usize,
        sums: Numbers,
        sum: f64,
        sum_of_squares: f64,
        count: u64,
    ) -> PyResult<()> {
        self.check(position)?;
        let kind = self.filter.config().demands().sums;
        let observation = Observation::from_sums(sum, sum_of_squares, count).map_err(raised)?;
        let step = self
            .filter
            .tensor_update(position, &statistics_of(kind, &sums)?, &observation)
            .map_err(raised)?;
        let parameters = self.filter.layout().parameters().len();
        let steps = &mut self.workspace.steps;
        steps.resize(parameters, TensorStep::Skip);
        steps[position] = step;
        Ok(())
    }

    /// The step of the parameter at `position` in the last update; `None` if nothing is done with it.
    fn tensor_step(&self, position: usize) -> PyResult<Option<Step>> {
        self.check(position)?;
        Ok(self.workspace.steps.get(position).and_then(Step::of))
    }

    /// The report of the last update, as JSON; `None` before the first.
    fn report(&self) -> PyResult<Option<String>> {
        self.report.as_ref().map(written).transpose()
    }

    /// Predict over CPU tensors; `frozen`: positions of those that do not move beside the frozen groups. Returns
    /// |a - x|^2 of each.
    fn advance(
        &self,
        py: Python<'_>,
        tensors: &Tensors,
        frozen: Vec<usize>,
        threads: usize,
    ) -> PyResult<Vec<f64>> {
        let Some(motion) = self.filter.begin_predict().map_err(raised)? else {
            return Ok(Vec::new());
        };
        let mut slices = tensors.lend(self.filter.layout().parameters().len())?;
        let elements = slices.elements();
        let filter = &self.filter;
        let moving = |position| filter.moves(position) && !frozen.contains(&position);
        let (of_f32, of_f64) = py.detach(|| {
            pool::install(threads, || {
                (
                    passes::advance(&motion, moving, &mut slices.f32),
                    passes::advance(&motion, moving, &mut slices.f64),
                )
            })
        });
        Ok(Slices::merge(&elements, of_f32, of_f64))
    }

    /// The sums of CPU tensors.
    fn reduce(
        &self,
        py: Python<'_>,
        tensors: &Tensors,
        threads: usize,
    ) -> PyResult<Vec<Option<Numbers>>> {
        let kind = self.filter.config().demands().sums;
        let statistics = self.first_reading(py, tensors, threads)?;
        Ok(statistics
            .into_iter()
            .map(|found| found.map(|found| sums_of(kind, &found)))
            .collect())
    }

    /// The second reading of CPU tensors: the sums in the metric with this floor, to replace the last of those of the
    /// `first`; `None` where these settle them.
    fn weigh(
        &self,
        py: Python<'_>,
        tensors: &Tensors,
        floor: f64,
        first: Vec<Option<Numbers>>,
        threads: usize,
    ) -> PyResult<Vec<Option<Numbers>>> {
        let first = self.statistics(&first)?;
        let sums = self.second_reading(py, tensors, floor, &first, threads)?;
        Ok(sums
            .iter()
            .map(|sums| Some(metric_numbers(sums.as_ref()?).to_vec()))
            .collect())
    }

    /// All sums of an update whose gradients all belong to these CPU tensors, in as many readings as it takes.
    fn measure(&self, py: Python<'_>, tensors: &Tensors, threads: usize) -> PyResult<Measured> {
        let mut first = self.first_reading(py, tensors, threads)?;
        // A floor that is not finite is of no use, and the measurement missing.
        let floor = self.filter.metric_floor(&first);
        if let Some(floor) = floor.filter(|floor| floor.is_finite()) {
            let second = self.second_reading(py, tensors, floor, &first, threads)?;
            for (found, sums) in first.iter_mut().zip(second) {
                if let (Some(found), Some(sums)) = (found, sums) {
                    found.weigh_anew(sums);
                }
            }
        }
        let mut statistics = vec![None; self.filter.layout().parameters().len()];
        for ((position, _), found) in tensors.kinds().zip(first) {
            statistics[position] = found;
        }
        Ok(Measured { statistics })
    }

    /// Does the last update's steps on CPU tensors.
    fn displace(&self, py: Python<'_>, tensors: &Tensors, threads: usize) -> PyResult<()> {
        let mut slices = tensors.lend(self.filter.layout().parameters().len())?;
        let steps = &self.workspace.steps;
        py.detach(|| {
            pool::install(threads, || {
                passes::displace(steps, &mut slices.f32);
                passes::displace(steps, &mut slices.f64);
            });
        });
        Ok(())
    }
}

impl From<Filter> for PyFilter {
    fn from(filter: Filter) -> Self {
        Self {
            filter,
            workspace: Workspace::default(),
            report: None,
        }
    }
}

impl PyFilter {
    /// The sums that these numbers are.
    fn statistics(&self, sums: &[Option<Numbers>]) -> PyResult<Vec<Option<BlockStatistics>>> {
        let kind = self.filter.config().demands().sums;
        let sums = sums.iter().map(Option::as_ref);
        sums.map(|sums| sums.map(|sums| statistics_of(kind, sums)).transpose())
            .collect()
    }

    /// The sums of each of the tensors.
    fn first_reading(
        &self,
        py: Python<'_>,
        tensors: &Tensors,
        threads: usize,
    ) -> PyResult<Vec<Option<BlockStatistics>>> {
        let mut slices = tensors.lend(self.filter.layout().parameters().len())?;
        let elements = slices.elements();
        let filter = &self.filter;
        let mut of_f32 = vec![None; slices.f32.len()];
        let mut of_f64 = vec![None; slices.f64.len()];
        py.detach(|| {
            pool::install(threads, || {
                passes::reduce(filter, &mut slices.f32, &mut of_f32);
                passes::reduce(filter, &mut slices.f64, &mut of_f64);
            });
        });
        Ok(Slices::merge(&elements, of_f32, of_f64))
    }

    /// The sums of each of the tensors in the metric with this floor; `None` where the `first` settle them.
    fn second_reading(
        &self,
        py: Python<'_>,
        tensors: &Tensors,
        floor: f64,
        first: &[Option<BlockStatistics>],
        threads: usize,
    ) -> PyResult<Vec<Option<MetricSums>>> {
        if !self.is_open(floor, first, tensors)? {
            return Ok(vec![None; first.len()]);
        }
        let mut slices = tensors.lend(self.filter.layout().parameters().len())?;
        let elements = slices.elements();
        let of = |element: Element| {
            let rows = elements.iter().zip(first);
            rows.filter(|(found, _)| **found == element)
                .map(|(_, &sums)| sums)
                .collect::<Vec<_>>()
        };
        let (first_f32, first_f64) = (of(Element::F32), of(Element::F64));
        let filter = &self.filter;
        let (of_f32, of_f64) = py.detach(|| {
            pool::install(threads, || {
                (
                    passes::weigh(filter, floor, &first_f32, &mut slices.f32),
                    passes::weigh(filter, floor, &first_f64, &mut slices.f64),
                )
            })
        });
        Ok(Slices::merge(&elements, of_f32, of_f64))
    }

    /// Whether a second reading is wanted of any of the tensors.
    fn is_open(
        &self,
        floor: f64,
        first: &[Option<BlockStatistics>],
        tensors: &Tensors,
    ) -> PyResult<bool> {
        let kinds = tensors.kinds();
        if first.len() != kinds.len() {
            return Err(PyValueError::new_err("sums of another number of tensors"));
        }
        Ok(kinds.zip(first).any(|((position, element), first)| {
            let found = first.as_ref().zip(self.filter.reduction(position));
            found.is_some_and(|(first, reduction)| {
                !reduction.settles(&first.metric, floor, element.rounding())
            })
        }))
    }

    fn check(&self, position: usize) -> PyResult<()> {
        if position < self.filter.layout().parameters().len() {
            Ok(())
        } else {
            Err(PyValueError::new_err("a position beyond the layout"))
        }
    }
}

fn parsed<T: DeserializeOwned>(what: &str, text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| malformed(what, &error))
}
