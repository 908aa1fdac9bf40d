//! The innovations of an update: one a block, or one of the whole model.

use std::ops::Range;

use crate::block::{Block, Blocks};
use crate::demands::Innovations;
use crate::error::Result;
use crate::exact_sum::order_free_sum;
use crate::guard::guarded_residual;
use crate::innovation::Innovation;
use crate::methods::AnyMethod;
use crate::options::Options;
use crate::rules::Rules;
use crate::statistics::{BlockStatistics, combined};

/// The innovations of a step.
pub(crate) enum Measured<'a> {
    /// One a block, `None` for those that are left alone.
    PerBlock(&'a [Option<Innovation>]),
    /// That of the whole model, every block's; there also where no block has a gradient.
    Model(Innovation),
}

impl Measured<'_> {
    /// That of `block`, which has this index; `None` if it is left alone.
    pub fn of(&self, index: usize, block: &Block) -> Option<&Innovation> {
        match self {
            Self::PerBlock(each) => each[index].as_ref(),
            Self::Model(one) => block.statistics.is_ok().then_some(one),
        }
    }

    /// One a block, where each has its own.
    pub fn per_block(&self) -> &[Option<Innovation>] {
        match self {
            Self::PerBlock(each) => each,
            Self::Model(_) => &[],
        }
    }

    /// That of the whole model, if it has one.
    pub fn model(&self) -> Option<&Innovation> {
        match self {
            Self::PerBlock(_) => None,
            Self::Model(one) => Some(one),
        }
    }
}

/// The measurement of this step, as innovations are made of it.
pub(crate) struct Measurement<'a> {
    pub options: &'a Options,
    pub rules: &'a Rules<'a>,
    /// L.
    pub loss: f64,
    /// T.
    pub target: f64,
    /// R.
    pub r: f64,
    /// One a parameter; `None` where there is no gradient.
    pub statistics: &'a [Option<BlockStatistics>],
}

impl Measurement<'_> {
    /// The innovations, with the gains that `method` gives them; those of blocks stand in `each`.
    pub fn innovations<'e>(
        &self,
        method: &mut AnyMethod,
        blocks: &Blocks,
        each: &'e mut Vec<Option<Innovation>>,
    ) -> Result<Measured<'e>> {
        each.clear();
        match method.demands().innovation {
            Innovations::PerBlock => {
                for (index, block) in blocks.iter().enumerate() {
                    let Ok(sums) = block.statistics else {
                        each.push(None);
                        continue;
                    };
                    let (residual, clamped) = self.residual(block.tensors, block.name)?;
                    each.push(Some(Innovation {
                        gain: method.gain(index, sums, self.r),
                        residual,
                        clamped,
                    }));
                }
                Ok(Measured::PerBlock(each))
            }
            Innovations::WholeModel => {
                let (residual, clamped) = self.residual(0..self.statistics.len(), "all")?;
                let sums = combined(self.statistics.iter().flatten()).unwrap_or_default();
                Ok(Measured::Model(Innovation {
                    gain: method.gain(0, &sums, self.r),
                    residual,
                    clamped,
                }))
            }
        }
    }

    /// L - T with the penalty of those of the tensors that are measured, under the policy, and whether it was clamped.
    fn residual(&self, tensors: Range<usize>, block: &str) -> Result<(f64, bool)> {
        // L_b = L + the block's own penalty only, w/2 |x_b|^2.
        let penalty = order_free_sum(tensors.filter_map(|position| {
            let w = self.rules.of(position).decay.in_measurement();
            self.statistics[position]
                .as_ref()
                .map(|found| 0.5 * w * found.parameter_squared)
        }));
        guarded_residual(
            self.options.target.residual(self.loss, penalty),
            self.options.negative_residual,
            block,
            self.target,
        )
    }
}
