//! The measurement update, common to the three methods.

use crate::error::{Error, Result};
use crate::filter::{Filter, Update};
use crate::gain::BlockGain;
use crate::guard::{guarded_residual, missing_cause, vanishing};
use crate::layout::Partition;
use crate::observation::Observation;
use crate::phase::Phase;
use crate::plan::{Displacement, TensorStep};
use crate::report::{BlockOutcome, BlockReport, Outcome, SkipReason, StepReport};
use crate::statistics::{BlockStatistics, combined, order_free_sum};

/// A block in the middle of an update.
struct Block {
    name: String,
    /// Positions of its tensors in the layout.
    tensors: Vec<usize>,
    /// Sums over the tensors that have a gradient and are not frozen, or why there are none.
    statistics: Result<BlockStatistics, SkipReason>,
}

/// A block's gain with the residual it is multiplied by.
struct Innovation {
    gain: BlockGain,
    residual: f64,
    clamped: bool,
}

pub(crate) fn update(
    filter: &mut Filter,
    given: &[Option<BlockStatistics>],
    observation: &Observation,
) -> Result<Update> {
    let statistics: Vec<Option<BlockStatistics>> = given
        .iter()
        .enumerate()
        .map(|(position, &statistics)| statistics.filter(|_| !filter.is_frozen(position)))
        .collect();
    let options = filter.state.method.options().clone();
    let loss = observation.mean();
    let second_moment = options.target.second_moment(observation);
    let target = options.target.value(loss);
    let e = filter.gain();
    let mut report = StepReport {
        step: filter.state.step,
        outcome: Outcome::Measured,
        loss,
        second_moment,
        target,
        gain: e,
        measurement_noise: filter.state.measurement_noise,
        process_noise: filter.state.method.process_noise(),
        covariance: filter.state.method.covariance(),
        limiting_block: None,
        update_norm: 0.0,
        gradient_norm: 0.0,
        bound_factor: 1.0,
        missing_in_a_row: 0,
        blocks: Vec::new(),
    };
    let blocks = blocks(filter, &statistics);

    if let Some(cause) = missing_cause(loss, second_moment, &statistics, &filter.state.layout) {
        return missing(filter, &blocks, report, cause);
    }

    // R is updated before it is used.
    let r = options
        .measurement_noise
        .measured(filter.state.measurement_noise, second_moment);

    let mut innovations: Vec<Option<Innovation>> = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        let Ok(measured) = &block.statistics else {
            innovations.push(None);
            continue;
        };
        // L_b = L + w/2 |x_b|^2, the block's own penalty only.
        let penalty = order_free_sum(block.tensors.iter().filter_map(|&position| {
            let w = filter.decay(position).in_measurement();
            statistics[position].map(|found| 0.5 * w * found.parameter_squared)
        }));
        let (residual, clamped) = guarded_residual(
            options.target.residual(loss, penalty),
            options.negative_residual,
            &block.name,
            target,
        )?;
        innovations.push(Some(Innovation {
            gain: filter.state.method.gain(index, measured, r),
            residual,
            clamped,
        }));
    }

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
            let decay = filter.decay(position);
            let along_gradient = decay.in_direction() != decay.in_measurement();
            let coefficient = e
                * filter.state.layout.group_of(position).gain
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

    let mut steps = vec![TensorStep::Skip; statistics.len()];
    for (block, innovation) in blocks.iter().zip(&innovations) {
        let Some(innovation) = innovation else {
            continue;
        };
        for &position in &block.tensors {
            if statistics[position].is_none() {
                continue;
            }
            let decay = filter.decay(position);
            let e = e * filter.state.layout.group_of(position).gain;
            let scale = factor * e * innovation.residual;
            steps[position] = TensorStep::Move(Displacement {
                decay: decay.in_direction(),
                position: scale * innovation.gain.position,
                shrinkage: decay.shrinkage(e),
                memory: innovation.gain.memory(scale),
            });
        }
    }

    // G = max_b |h_b|^2 over the blocks that are updated.
    let limiting = blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| Some((index, block.statistics.ok()?.decayed_squared)))
        .max_by(|(_, left), (_, right)| left.total_cmp(right));
    let gains: Vec<Option<BlockGain>> = innovations
        .iter()
        .map(|innovation| innovation.as_ref().map(|found| found.gain))
        .collect();
    if let Some((_, largest)) = limiting {
        filter.state.method.correct(largest, r, &gains);
    }

    filter.state.measurement_noise = r;
    filter.state.phase = Phase::Updated;
    filter.state.step += 1;
    filter.state.missing_in_a_row = 0;
    filter.state.clamped_in_all += u64::from(
        innovations
            .iter()
            .flatten()
            .any(|innovation| innovation.clamped),
    );

    report.outcome = if limiting.is_some() {
        Outcome::Measured
    } else {
        Outcome::NoGradient
    };
    report.measurement_noise = r;
    report.covariance = filter.state.method.covariance();
    report.limiting_block = limiting.map(|(index, _)| index);
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
            block_report(filter, block, innovation.as_ref(), e, factor, squared)
        })
        .collect();
    Ok(Update { steps, report })
}

/// The blocks of the partition, with the sums over their usable tensors.
fn blocks(filter: &Filter, statistics: &[Option<BlockStatistics>]) -> Vec<Block> {
    let layout = &filter.state.layout;
    let block = |name: &str, tensors: Vec<usize>| {
        let parts: Vec<BlockStatistics> = tensors
            .iter()
            .filter_map(|&position| statistics[position])
            .collect();
        let statistics = if parts.is_empty() {
            Err(
                if tensors.iter().all(|&position| filter.is_frozen(position)) {
                    SkipReason::Frozen
                } else {
                    SkipReason::NoGradient
                },
            )
        } else {
            let sums = combined(&parts);
            vanishing(&sums).map_or(Ok(sums), Err)
        };
        Block {
            name: name.to_owned(),
            tensors,
            statistics,
        }
    };
    match filter.state.method.options().partition {
        Partition::PerTensor => layout
            .parameters()
            .iter()
            .enumerate()
            .map(|(position, parameter)| block(&parameter.name, vec![position]))
            .collect(),
        Partition::Global => vec![block("all", (0..layout.parameters().len()).collect())],
    }
}

/// A missing measurement: nothing but the prediction happens, and the counters rise.
fn missing(
    filter: &mut Filter,
    blocks: &[Block],
    mut report: StepReport,
    cause: String,
) -> Result<Update> {
    let state = &mut filter.state;
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
            skipped(block, reason)
        })
        .collect();
    Ok(Update {
        steps: vec![TensorStep::Skip; state.layout.parameters().len()],
        report,
    })
}

fn skipped(block: &Block, reason: SkipReason) -> BlockReport {
    BlockReport {
        name: block.name.clone(),
        outcome: BlockOutcome::Skipped(reason),
        gradient_norm: 0.0,
        innovation: 0.0,
        innovation_variance: 0.0,
        normalised_innovation_squared: 0.0,
        gain_norm: 0.0,
        effective_learning_rate: 0.0,
        update_norm: 0.0,
    }
}

fn block_report(
    filter: &Filter,
    block: &Block,
    innovation: Option<&Innovation>,
    e: f64,
    factor: f64,
    update_squared: f64,
) -> BlockReport {
    let (sums, innovation) = match (block.statistics, innovation) {
        (Ok(sums), Some(innovation)) => (sums, innovation),
        (Err(reason), _) => return skipped(block, reason),
        (Ok(_), None) => return skipped(block, SkipReason::NoGradient),
    };
    // In a block of several groups e is the optimizer's; a tensor's own block has its group's.
    let e = match block.tensors.as_slice() {
        [position] => e * filter.state.layout.group_of(*position).gain,
        _ => e,
    };
    let gain = &innovation.gain;
    let residual = innovation.residual;
    let s = gain.innovation_variance;
    BlockReport {
        name: block.name.clone(),
        outcome: if innovation.clamped {
            BlockOutcome::Clamped
        } else if gain.is_restart() {
            BlockOutcome::Restarted
        } else {
            BlockOutcome::Updated
        },
        gradient_norm: sums.decayed_squared.sqrt(),
        innovation: -residual,
        innovation_variance: s,
        normalised_innovation_squared: crate::gain::quotient(residual * residual, s),
        gain_norm: gain.position * gain.direction_squared(&sums, false).sqrt(),
        effective_learning_rate: factor
            * e
            * residual
            * gain.position
            * gain.direction_along_gradient(&sums),
        update_norm: factor * update_squared.sqrt(),
    }
}
