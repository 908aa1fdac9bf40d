//! A block in the middle of an update: its sums, its innovation, and what is told of it.

use std::ops::Range;
use std::sync::Arc;

use crate::demands::Innovations;
use crate::gain::quotient;
use crate::guard::vanishing;
use crate::innovation::Innovation;
use crate::layout::{Layout, Partition};
use crate::report::{BlockOutcome, BlockReport, SkipReason};
use crate::state::{FilterState, block_count};
use crate::statistics::{BlockStatistics, combined};

/// All blocks of the partition, with the sums over the tensors that have a gradient and are not frozen.
pub(crate) struct Blocks<'a> {
    layout: &'a Layout,
    statistics: &'a [Option<BlockStatistics>],
    count: usize,
    /// Whether a block with a vanishing gradient is left alone.
    vanishing: bool,
    /// With the partition `Global`, the only one.
    all: Option<(Arc<str>, Option<BlockStatistics>)>,
}

/// A block in the middle of an update.
pub(crate) struct Block<'a> {
    pub name: &'a Arc<str>,
    /// Positions of its tensors in the layout.
    pub tensors: Range<usize>,
    /// Its sums, or why there are none.
    pub statistics: Result<&'a BlockStatistics, SkipReason>,
}

impl<'a> Blocks<'a> {
    /// `statistics`: one a parameter of the layout, without those of frozen ones.
    pub fn new(state: &'a FilterState, statistics: &'a [Option<BlockStatistics>]) -> Self {
        let partition = state.partition();
        Self {
            layout: &state.layout,
            statistics,
            count: block_count(&state.layout, partition),
            vanishing: state.method.demands().innovation == Innovations::PerBlock,
            all: match partition {
                Partition::PerTensor => None,
                Partition::Global => Some(("all".into(), combined(statistics.iter().flatten()))),
            },
        }
    }

    /// The blocks, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Block<'_>> {
        (0..self.count).map(|index| {
            let (name, tensors, found) = match &self.all {
                Some((name, found)) => (name, 0..self.statistics.len(), found),
                None => (
                    &self.layout.parameters()[index].name,
                    index..index + 1,
                    &self.statistics[index],
                ),
            };
            let statistics = match found {
                Some(sums) if self.vanishing => vanishing(sums).map_or(Ok(sums), Err),
                Some(sums) => Ok(sums),
                None if tensors.clone().all(|at| self.layout.group_of(at).frozen) => {
                    Err(SkipReason::Frozen)
                }
                None => Err(SkipReason::NoGradient),
            };
            Block {
                name,
                tensors,
                statistics,
            }
        })
    }
}

impl Block<'_> {
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
            gain_norm: gain.position * gain.direction_squared(sums, false).sqrt(),
            effective_learning_rate: factor
                * e
                * residual
                * gain.position
                * gain.direction_along_gradient(sums),
            update_norm: factor * update_squared.sqrt(),
            metric: gain.metric(sums),
        }
    }
}
