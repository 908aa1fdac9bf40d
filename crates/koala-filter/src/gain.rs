//! The Kalman gain of one block, in the form common to the three methods.

use crate::plan::{Memory, PreviousCovariance};
use crate::statistics::BlockStatistics;

/// A block's innovation variance and the coefficients of its step per unit of residual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockGain {
    /// S_b.
    pub innovation_variance: f64,
    /// Coefficient of the direction in x: P / S, or 1 / S for KOALA++.
    pub position: f64,
    /// What the direction is and what is remembered.
    pub kind: GainKind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum GainKind {
    /// KOALA-V: direction h.
    Vanilla,
    /// KOALA-M: direction h; `velocity` = p12 / S.
    Momentum {
        velocity: f64,
        averaging: Option<f64>,
    },
    /// KOALA++: direction v + Q H with v = a v' + b H + c H'.
    PlusPlus {
        previous: Option<PreviousCovariance>,
        gradient: f64,
        direction: f64,
    },
}

impl BlockGain {
    /// The memory part of a step, `scale` being e times the residual.
    pub fn memory(&self, scale: f64) -> Memory {
        match self.kind {
            GainKind::Vanilla => Memory::None,
            GainKind::Momentum {
                velocity,
                averaging,
            } => Memory::Velocity {
                velocity: scale * velocity,
                averaging,
            },
            GainKind::PlusPlus {
                previous,
                gradient,
                direction,
            } => Memory::Covariance {
                previous,
                gradient,
                direction,
            },
        }
    }

    /// |d|^2 of the direction d along which x moves, over a block or a tensor. `along_gradient`: x moves along g, not h.
    pub fn direction_squared(&self, statistics: &BlockStatistics, along_gradient: bool) -> f64 {
        match self.kind {
            GainKind::PlusPlus { .. } => {
                let (a, b, c) = self.direction_coefficients();
                let dot = statistics.products;
                let squared = a * a * dot.covariance_squared
                    + b * b * statistics.decayed_squared
                    + c * c * dot.previous_squared
                    + 2.0 * a * b * dot.gradient_covariance
                    + 2.0 * a * c * dot.previous_covariance
                    + 2.0 * b * c * dot.gradient_previous;
                squared.max(0.0)
            }
            _ if along_gradient => statistics.gradient_squared,
            _ => statistics.decayed_squared,
        }
    }

    /// d . h / |h|^2: the part of the direction that lies along h, per unit of h. 1 for V and M.
    pub fn direction_along_gradient(&self, statistics: &BlockStatistics) -> f64 {
        match self.kind {
            GainKind::PlusPlus { .. } => {
                let (a, b, c) = self.direction_coefficients();
                let along = a * statistics.products.gradient_covariance
                    + b * statistics.decayed_squared
                    + c * statistics.products.gradient_previous;
                quotient(along, statistics.decayed_squared)
            }
            _ => 1.0,
        }
    }

    /// Whether KOALA++ (re)started the block.
    pub fn is_restart(&self) -> bool {
        matches!(self.kind, GainKind::PlusPlus { previous: None, .. })
    }

    /// Coefficients of v', H and H' in KOALA++'s direction.
    fn direction_coefficients(&self) -> (f64, f64, f64) {
        match self.kind {
            GainKind::PlusPlus {
                previous,
                gradient,
                direction,
            } => {
                let (a, c) = previous.map_or((0.0, 0.0), |p| (p.covariance, p.gradient));
                (a, gradient + direction, c)
            }
            _ => (0.0, 1.0, 0.0),
        }
    }
}

/// numerator / denominator, and 0 where the denominator is 0: a gain without uncertainty and without noise is none.
pub(crate) fn quotient(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        numerator / denominator
    }
}
