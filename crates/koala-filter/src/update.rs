//! The measurement update, common to all methods.

use crate::block::Block;
use crate::error::{Error, Result};
use crate::gain::{BlockGain, representable};
use crate::guard::missing_cause;
use crate::measured::{Measured, Measurement};
use crate::method::Correction;
use crate::methods::AnyMethod;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::plan::{Displacement, TensorStep};
use crate::report::{Outcome, SkipReason, StepReport};
use crate::state::FilterState;
use crate::statistics::{BlockStatistics, largest, order_free_sum};
use crate::target::Target;

/// What an update tells the adapter to do, and what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// One step a parameter, in the layout's order.
    pub steps: Vec<TensorStep>,
    /// What happened and why.
    pub report: StepReport,
}

/// Does the update on `state`. `given`: one a parameter of its layout, and at least one loss is observed.
pub(crate) fn update(
    state: &mut FilterState,
    given: &[Option<BlockStatistics>],
    observation: &Observation,
) -> Result<Update> {
    let mut statistics: Vec<Option<BlockStatistics>> = given
        .iter()
        .enumerate()
        .map(|(position, &statistics)| statistics.filter(|_| !state.is_frozen(position)))
        .collect();
    let largest = largest(&statistics);
    for found in statistics.iter_mut().flatten() {
        state.method.settle(found, largest);
    }
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
    let blocks = Block::all(state, &statistics);

    if let Some(cause) = missing_cause(loss, second_moment, &statistics, &state.layout) {
        return missing(state, &blocks, report, cause);
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
    let Measured {
        blocks: innovations,
        model,
    } = Measurement {
        options: &options,
        loss,
        target,
        r,
        statistics: &statistics,
    }
    .innovations(state, &mut method, &blocks)?;

    // The whole update's norm, and the factor that keeps it within its bound.
    let mut squares = vec![0.0; statistics.len()];
    for (block, innovation) in blocks.iter().zip(&innovations) {
        let Some(innovation) = innovation else {
            continue;
        };
        for &position in &block.tensors {
            let Some(found) = &statistics[position] else {
                continue;
            };
            let decay = state.decay(position);
            let along_gradient = decay.in_direction() != decay.in_measurement();
            let coefficient = e
                * state.layout.group_of(position).gain
                * innovation.residual
                * innovation.gain.position;
            squares[position] = coefficient
                * coefficient
                * innovation.gain.direction_squared(found, along_gradient);
        }
    }
    let unbounded = order_free_sum(squares.iter().copied()).sqrt();
    let factor = match options.max_update_norm {
        Some(bound) if unbounded > bound => bound / unbounded,
        _ => 1.0,
    };

    let mut steps: Vec<TensorStep> = (0..statistics.len())
        .map(|position| standing(state, &method, position))
        .collect();
    let mut taking_part = vec![false; statistics.len()];
    for (block, innovation) in blocks.iter().zip(&innovations) {
        let Some(innovation) = innovation else {
            continue;
        };
        for &position in &block.tensors {
            if statistics[position].is_none() {
                continue;
            }
            taking_part[position] = true;
            let decay = state.decay(position);
            let e = e * state.layout.group_of(position).gain;
            let scale = factor * e * innovation.residual;
            steps[position] = TensorStep::Move(Displacement {
                decay: decay.in_direction(),
                position: representable(scale * innovation.gain.position),
                shrinkage: decay.shrinkage(e),
                memory: method.memory(position, &innovation.gain, scale),
                prediction: None,
            });
        }
    }

    let gains: Vec<Option<BlockGain>> = innovations
        .iter()
        .map(|innovation| innovation.as_ref().map(|found| found.gain))
        .collect();
    // G: that of the whole model, or the largest |h_b|^2 of the blocks that are updated.
    let limiting = gains
        .iter()
        .enumerate()
        .filter_map(|(index, gain)| Some((index, gain.as_ref()?.gradient_squared)))
        .max_by(|(_, left), (_, right)| left.total_cmp(right));
    let gradient = match &model {
        Some(model) => Some(model.gain.gradient_squared).filter(|&gradient| gradient > 0.0),
        None => limiting.map(|(_, gradient)| gradient),
    };
    let averaging: Vec<bool> = steps.iter().map(|&step| step != TensorStep::Skip).collect();
    method.correct(&Correction {
        gradient,
        r,
        gains: &gains,
        taking_part: &taking_part,
        averaging: &averaging,
    });

    state.method = method;
    state.measurement_noise = r;
    state.first_loss = first_loss;
    state.phase = Phase::Updated;
    state.step += 1;
    state.missing_in_a_row = 0;
    state.clamped_in_all += u64::from(
        innovations
            .iter()
            .flatten()
            .any(|innovation| innovation.clamped),
    );

    report.outcome = if gradient.is_some() {
        Outcome::Measured
    } else {
        Outcome::NoGradient
    };
    report.measurement_noise = r;
    report.covariance = state.method.covariance();
    report.process_noise = state.method.process_noise();
    report.limiting_block = limiting.filter(|_| model.is_none()).map(|(index, _)| index);
    report.whiteness = model.and_then(|found| found.gain.whiteness());
    report.update_norm = factor * unbounded;
    report.gradient_norm = order_free_sum(
        blocks
            .iter()
            .filter_map(|block| Some(block.statistics.ok()?.decayed_squared)),
    )
    .sqrt();
    report.bound_factor = factor;
    report.blocks = blocks
        .iter()
        .zip(&innovations)
        .map(|(block, innovation)| {
            let squared = order_free_sum(block.tensors.iter().map(|&position| squares[position]));
            block.report(&state.layout, innovation.as_ref(), e, factor, squared)
        })
        .collect();
    Ok(Update { steps, report })
}

/// What becomes of a tensor that takes no part: where a mean is kept, it follows, unless it never took anything up and is
/// frozen, so that it is x itself.
fn standing(state: &FilterState, method: &AnyMethod, position: usize) -> TensorStep {
    let idle = state.is_frozen(position) && !method.averaged(position);
    match method.averaging(position) {
        Some(weight) if !idle => TensorStep::Average(weight),
        _ => TensorStep::Skip,
    }
}

/// A missing measurement: nothing but the prediction happens, and the counters rise.
fn missing(
    state: &mut FilterState,
    blocks: &[Block],
    mut report: StepReport,
    cause: String,
) -> Result<Update> {
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
    report.blocks = blocks
        .iter()
        .map(|block| {
            let reason = match block.statistics {
                Err(reason @ (SkipReason::Frozen | SkipReason::NoGradient)) => reason,
                _ => SkipReason::MissingMeasurement,
            };
            block.skipped(reason)
        })
        .collect();
    Ok(Update {
        steps: vec![TensorStep::Skip; state.layout.parameters().len()],
        report,
    })
}
