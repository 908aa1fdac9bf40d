//! The innovations of an update: one a block, or one of the whole model.

use crate::block::Block;
use crate::demands::Innovations;
use crate::error::Result;
use crate::guard::guarded_residual;
use crate::innovation::Innovation;
use crate::methods::AnyMethod;
use crate::options::Options;
use crate::state::FilterState;
use crate::statistics::{BlockStatistics, combined, order_free_sum};

/// The innovations of a step.
pub(crate) struct Measured {
    /// One a block, `None` for those that are left alone. Where the whole model has one, it is every block's.
    pub blocks: Vec<Option<Innovation>>,
    /// The whole model's, if it has one, also where no block has a gradient.
    pub model: Option<Innovation>,
}

/// The measurement of this step, as innovations are made of it.
pub(crate) struct Measurement<'a> {
    pub options: &'a Options,
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
    /// The innovations, with the gains that `method` gives them.
    pub fn innovations(
        &self,
        state: &FilterState,
        method: &mut AnyMethod,
        blocks: &[Block],
    ) -> Result<Measured> {
        match method.demands().innovation {
            Innovations::PerBlock => {
                let innovation = |(index, block): (usize, &Block)| {
                    let Ok(sums) = &block.statistics else {
                        return Ok(None);
                    };
                    let penalty = self.penalty(state, &block.tensors);
                    let (residual, clamped) = self.residual(penalty, &block.name)?;
                    Ok(Some(Innovation {
                        gain: method.gain(index, sums, self.r),
                        residual,
                        clamped,
                    }))
                };
                Ok(Measured {
                    blocks: blocks
                        .iter()
                        .enumerate()
                        .map(innovation)
                        .collect::<Result<_>>()?,
                    model: None,
                })
            }
            Innovations::WholeModel => {
                let tensors: Vec<usize> = (0..self.statistics.len()).collect();
                let penalty = self.penalty(state, &tensors);
                let (residual, clamped) = self.residual(penalty, "all")?;
                let parts: Vec<_> = self.statistics.iter().flatten().copied().collect();
                let innovation = Innovation {
                    gain: method.gain(0, &combined(&parts), self.r),
                    residual,
                    clamped,
                };
                Ok(Measured {
                    blocks: blocks
                        .iter()
                        .map(|block| block.statistics.is_ok().then_some(innovation))
                        .collect(),
                    model: Some(innovation),
                })
            }
        }
    }

    /// w/2 |x|^2 of those of the tensors that are measured: L_b = L + the block's own penalty only.
    fn penalty(&self, state: &FilterState, tensors: &[usize]) -> f64 {
        order_free_sum(tensors.iter().filter_map(|&position| {
            let w = state.decay(position).in_measurement();
            self.statistics[position].map(|found| 0.5 * w * found.parameter_squared)
        }))
    }

    fn residual(&self, penalty: f64, block: &str) -> Result<(f64, bool)> {
        guarded_residual(
            self.options.target.residual(self.loss, penalty),
            self.options.negative_residual,
            block,
            self.target,
        )
    }
}
