//! The measurement update, common to all methods.

use crate::block::{Block, Blocks};
use crate::error::{Error, Result};
use crate::guard::missing_cause;
use crate::measured::Measurement;
use crate::method::Correction;
use crate::movement::Movement;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::plan::TensorStep;
use crate::report::{BlockReport, Outcome, SkipReason, StepReport};
use crate::rules::Rules;
use crate::state::FilterState;
use crate::statistics::{BlockStatistics, largest};
use crate::target::Target;
use crate::workspace::Workspace;

/// What an update tells the adapter to do, and what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// One step a parameter, in the layout's order.
    pub steps: Vec<TensorStep>,
    /// What happened and why.
    pub report: StepReport,
}

/// Does the update on `state`, of the statistics in `workspace`, one a parameter of its layout, whose steps stand there after it.
/// Statistics of frozen tensors are taken out, those in a metric moved to the floor of this update. At least one loss is observed.
/// On an error the state is as it was.
pub(crate) fn update(
    state: &mut FilterState,
    workspace: &mut Workspace,
    observation: &Observation,
) -> Result<StepReport> {
    let Workspace {
        statistics,
        steps,
        between,
    } = workspace;
    settle(state, statistics);
    let statistics = &*statistics;
    let mut options = state.method.options().clone();
    let loss = observation.mean();
    let first_loss = match options.target {
        Target::Relative(_) => Some(state.first_loss.unwrap_or(loss)),
        _ => state.first_loss,
    };
    options.target = options.target.after(first_loss.unwrap_or(loss));
    let second_moment = options.target.second_moment(observation);
    let target = options.target.value(loss);
    let e = state.gain();
    let mut report = StepReport {
        step: state.step,
        outcome: Outcome::Measured,
        loss,
        second_moment,
        target,
        gain: e,
        measurement_noise: state.measurement_noise,
        process_noise: state.method.process_noise(),
        covariance: state.method.covariance(),
        limiting_block: None,
        update_norm: 0.0,
        gradient_norm: 0.0,
        bound_factor: 1.0,
        missing_in_a_row: 0,
        blocks: Vec::new(),
        whiteness: None,
    };
    let blocks = Blocks::new(state, statistics);
    if let Some(cause) = missing_cause(loss, second_moment, statistics, &state.layout) {
        report.blocks = missing_blocks(&blocks);
        return missing(state, report, cause, steps);
    }

    // On an error nothing has changed: the method's state is a copy until then.
    let mut method = state.method.clone();
    method.measured();
    // R is updated before it is used.
    let r = options.measurement_noise.measured(
        state.measurement_noise,
        second_moment,
        state.measurements() + 1,
    );
    let rules = Rules::new(&state.layout, &options);
    let innovations = Measurement {
        options: &options,
        rules: &rules,
        loss,
        target,
        r,
        statistics,
    }
    .innovations(&mut method, &blocks, &mut between.innovations)?;
    let movement = Movement {
        e,
        rules: &rules,
        blocks: &blocks,
        innovations: &innovations,
        statistics,
    };
    let norms = movement.norms(&mut between.squares);
    // What keeps the update within its bound.
    let factor = match options.max_update_norm {
        Some(bound) if norms.update > bound => bound / norms.update,
        _ => 1.0,
    };
    movement.steps(&method, factor, steps);
    report.blocks = movement.reports(factor, &between.squares);

    // G: that of the whole model, or the largest of the blocks.
    let model = innovations.model();
    let gradient = match model {
        Some(model) => Some(model.gain.gradient_squared).filter(|&gradient| gradient > 0.0),
        None => norms.limiting.map(|(_, gradient)| gradient),
    };
    method.correct(&Correction {
        gradient,
        r,
        innovations: innovations.per_block(),
        steps,
    });

    report.outcome = if gradient.is_some() {
        Outcome::Measured
    } else {
        Outcome::NoGradient
    };
    report.measurement_noise = r;
    report.covariance = method.covariance();
    report.process_noise = method.process_noise();
    report.limiting_block = match model {
        Some(_) => None,
        None => norms.limiting.map(|(index, _)| index),
    };
    report.whiteness = model.and_then(|found| found.gain.whiteness());
    report.update_norm = factor * norms.update;
    report.gradient_norm = norms.gradient;
    report.bound_factor = factor;

    state.method = method;
    state.measurement_noise = r;
    state.first_loss = first_loss;
    state.phase = Phase::Updated;
    state.step += 1;
    state.missing_in_a_row = 0;
    state.clamped_in_all += u64::from(norms.clamped);
    Ok(report)
}

/// Takes out the statistics of frozen tensors, and moves those in a metric to the floor of this update.
fn settle(state: &FilterState, statistics: &mut [Option<BlockStatistics>]) {
    for (position, found) in statistics.iter_mut().enumerate() {
        if state.is_frozen(position) {
            *found = None;
        }
    }
    if state.method.floor().is_some() {
        let largest = largest(statistics);
        for found in statistics.iter_mut().flatten() {
            state.method.settle(found, largest);
        }
    }
}

/// What is told of each block when the measurement is missing.
fn missing_blocks(blocks: &Blocks) -> Vec<BlockReport> {
    let told = |block: Block| {
        let reason = match block.statistics {
            Err(reason @ (SkipReason::Frozen | SkipReason::NoGradient)) => reason,
            _ => SkipReason::MissingMeasurement,
        };
        block.skipped(reason)
    };
    blocks.iter().map(told).collect()
}

/// A missing measurement: nothing but the prediction happens, and the counters rise.
fn missing(
    state: &mut FilterState,
    mut report: StepReport,
    cause: String,
    steps: &mut Vec<TensorStep>,
) -> Result<StepReport> {
    state.phase = Phase::Updated;
    state.step += 1;
    state.missing_in_all += 1;
    state.missing_in_a_row = state.missing_in_a_row.saturating_add(1);
    let count = state.missing_in_a_row;
    if count >= state.method.options().missing_limit {
        return Err(Error::TooManyMissing { count, cause });
    }
    report.missing_in_a_row = count;
    report.outcome = Outcome::Missing { cause };
    steps.clear();
    steps.resize(state.layout.parameters().len(), TensorStep::Skip);
    Ok(report)
}
