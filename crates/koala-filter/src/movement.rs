//! An update between its innovations and its steps: how far it reaches, what each tensor does, and what is told of each block.

use crate::block::{Block, Blocks};
use crate::exact_sum::{ExactSum, order_free_sum};
use crate::gain::representable;
use crate::innovation::Innovation;
use crate::measured::Measured;
use crate::methods::AnyMethod;
use crate::plan::{Displacement, TensorStep};
use crate::report::BlockReport;
use crate::rules::Rules;
use crate::statistics::BlockStatistics;

/// What an update moves by.
pub(crate) struct Movement<'a> {
    /// e, before the groups' own gains.
    pub e: f64,
    pub rules: &'a Rules<'a>,
    pub blocks: &'a Blocks<'a>,
    pub innovations: &'a Measured<'a>,
    /// One a parameter; `None` where there is no gradient.
    pub statistics: &'a [Option<BlockStatistics>],
}

/// How far an update reaches.
pub(crate) struct Norms {
    /// |dx|, before it is shortened.
    pub update: f64,
    /// |h| over all blocks that can be measured.
    pub gradient: f64,
    /// Index and |h_b|^2 of the block with the largest of those that are updated.
    pub limiting: Option<(usize, f64)>,
    /// Whether a residual was clamped.
    pub clamped: bool,
}

impl Movement<'_> {
    /// The innovation of each block, its index, and the block.
    fn measured(&self) -> impl Iterator<Item = (Option<&Innovation>, usize, Block<'_>)> {
        let each = self.blocks.iter().enumerate();
        each.map(|(index, block)| (self.innovations.of(index, &block), index, block))
    }

    /// The norms, and |dx_t|^2 of each tensor in `squares`.
    pub fn norms(&self, squares: &mut Vec<f64>) -> Norms {
        squares.clear();
        let [mut update, mut gradient] = [const { ExactSum::ZERO }; 2];
        let mut limiting: Option<(usize, f64)> = None;
        let mut clamped = false;
        for (innovation, index, block) in self.measured() {
            if let Ok(sums) = block.statistics {
                gradient.add(sums.decayed_squared);
            }
            let Some(innovation) = innovation else {
                squares.resize(block.tensors.end, 0.0);
                continue;
            };
            clamped |= innovation.clamped;
            let squared = innovation.gain.gradient_squared;
            if limiting.is_none_or(|(_, largest)| squared.total_cmp(&largest).is_ge()) {
                limiting = Some((index, squared));
            }
            for position in block.tensors {
                let square = self.square(position, innovation);
                update.add(square);
                squares.push(square);
            }
        }
        Norms {
            update: update.rounded().sqrt(),
            gradient: gradient.rounded().sqrt(),
            limiting,
            clamped,
        }
    }

    /// |dx_t|^2 of a tensor.
    fn square(&self, position: usize, innovation: &Innovation) -> f64 {
        let Some(found) = &self.statistics[position] else {
            return 0.0;
        };
        let (rule, gain) = (self.rules.of(position), &innovation.gain);
        let along_gradient = rule.decay.in_direction() != rule.decay.in_measurement();
        let coefficient = self.e * rule.gain * innovation.residual * gain.position;
        coefficient * coefficient * gain.direction_squared(found, along_gradient)
    }

    /// The steps of an update that is shortened by `factor`, one a parameter.
    pub fn steps(&self, method: &AnyMethod, factor: f64, steps: &mut Vec<TensorStep>) {
        steps.clear();
        steps.reserve(self.statistics.len());
        for (innovation, _, block) in self.measured() {
            for position in block.tensors {
                steps.push(match (innovation, &self.statistics[position]) {
                    (Some(innovation), Some(_)) => self.step(method, factor, position, innovation),
                    _ => self.standing(method, position),
                });
            }
        }
    }

    fn step(
        &self,
        method: &AnyMethod,
        factor: f64,
        position: usize,
        innovation: &Innovation,
    ) -> TensorStep {
        let rule = self.rules.of(position);
        let e = self.e * rule.gain;
        let scale = factor * e * innovation.residual;
        TensorStep::Move(Displacement {
            decay: rule.decay.in_direction(),
            position: representable(scale * innovation.gain.position),
            shrinkage: rule.decay.shrinkage(e),
            memory: method.memory(position, &innovation.gain, scale),
            prediction: None,
        })
    }

    /// What becomes of a tensor that takes no part: where a mean is kept, it follows, unless it never took anything up and is
    /// frozen, so that it is x itself.
    fn standing(&self, method: &AnyMethod, position: usize) -> TensorStep {
        let idle = self.rules.of(position).frozen && !method.averaged(position);
        match method.averaging(position) {
            Some(weight) if !idle => TensorStep::Average(weight),
            _ => TensorStep::Skip,
        }
    }

    /// What is told of each block of an update that is shortened by `factor`.
    pub fn reports(&self, factor: f64, squares: &[f64]) -> Vec<BlockReport> {
        let told = |(innovation, _, block): (Option<&Innovation>, usize, Block<'_>)| {
            let squared = order_free_sum(squares[block.tensors.clone()].iter().copied());
            // In a block of several groups e is the optimizer's; a tensor's own block has its group's.
            let e = match block.tensors.len() {
                1 => self.e * self.rules.of(block.tensors.start).gain,
                _ => self.e,
            };
            block.report(innovation, e, factor, squared)
        };
        self.measured().map(told).collect()
    }
}
