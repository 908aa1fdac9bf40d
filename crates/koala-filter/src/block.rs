//! A block in the middle of an update: its sums, its innovation, and what is told of it.

use crate::demands::Innovations;
use crate::gain::quotient;
use crate::guard::vanishing;
use crate::innovation::Innovation;
use crate::layout::{Layout, Partition};
use crate::report::{BlockOutcome, BlockReport, SkipReason};
use crate::state::FilterState;
use crate::statistics::{BlockStatistics, combined};

/// A block in the middle of an update.
pub(crate) struct Block {
    pub name: String,
    /// Positions of its tensors in the layout.
    pub tensors: Vec<usize>,
    /// Sums over the tensors that have a gradient and are not frozen, or why there are none.
    pub statistics: Result<BlockStatistics, SkipReason>,
}

impl Block {
    /// All blocks of the partition, with the sums over their usable tensors.
    pub fn all(state: &FilterState, statistics: &[Option<BlockStatistics>]) -> Vec<Self> {
        let layout = &state.layout;
        let block = |name: &str, tensors: Vec<usize>| {
            let parts: Vec<BlockStatistics> = tensors
                .iter()
                .filter_map(|&position| statistics[position])
                .collect();
            let statistics = if parts.is_empty() {
                Err(
                    if tensors.iter().all(|&position| state.is_frozen(position)) {
                        SkipReason::Frozen
                    } else {
                        SkipReason::NoGradient
                    },
                )
            } else {
                let sums = combined(&parts);
                match state.method.demands().innovation {
                    Innovations::PerBlock => vanishing(&sums).map_or(Ok(sums), Err),
                    Innovations::WholeModel => Ok(sums),
                }
            };
            Self {
                name: name.to_owned(),
                tensors,
                statistics,
            }
        };
        match state.method.options().partition {
            Partition::PerTensor => layout
                .parameters()
                .iter()
                .enumerate()
                .map(|(position, parameter)| block(&parameter.name, vec![position]))
                .collect(),
            Partition::Global => vec![block("all", (0..layout.parameters().len()).collect())],
        }
    }

    /// What is told of it when it is left alone.
    pub fn skipped(&self, reason: SkipReason) -> BlockReport {
        BlockReport {
            name: self.name.clone(),
            outcome: BlockOutcome::Skipped(reason),
            gradient_norm: 0.0,
            innovation: 0.0,
            innovation_variance: 0.0,
            normalised_innovation_squared: 0.0,
            gain_norm: 0.0,
            effective_learning_rate: 0.0,
            update_norm: 0.0,
            metric: None,
        }
    }

    /// What is told of it after an update by gain `e` that was shortened by `factor`; `update_squared` is |dx_b|^2 without it.
    pub fn report(
        &self,
        layout: &Layout,
        innovation: Option<&Innovation>,
        e: f64,
        factor: f64,
        update_squared: f64,
    ) -> BlockReport {
        let (sums, innovation) = match (self.statistics, innovation) {
            (Ok(sums), Some(innovation)) => (sums, innovation),
            (Err(reason), _) => return self.skipped(reason),
            (Ok(_), None) => return self.skipped(SkipReason::NoGradient),
        };
        // In a block of several groups e is the optimizer's; a tensor's own block has its group's.
        let e = match self.tensors.as_slice() {
            [position] => e * layout.group_of(*position).gain,
            _ => e,
        };
        let gain = &innovation.gain;
        let residual = innovation.residual;
        let s = gain.innovation_variance;
        BlockReport {
            name: self.name.clone(),
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
            normalised_innovation_squared: quotient(residual * residual, s),
            gain_norm: gain.position * gain.direction_squared(&sums, false).sqrt(),
            effective_learning_rate: factor
                * e
                * residual
                * gain.position
                * gain.direction_along_gradient(&sums),
            update_norm: factor * update_squared.sqrt(),
            metric: gain.metric(&sums),
        }
    }
}
