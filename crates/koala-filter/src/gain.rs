//! The Kalman gain of one innovation, in the form common to all methods.

use crate::plan::{Memory, PreviousCovariance};
use crate::report::Whiteness;
use crate::statistics::BlockStatistics;

/// A block's innovation variance and the coefficients of its step per unit of residual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockGain {
    /// |h_b|^2, or h . A h in the method's metric: what P is multiplied by in S.
    pub gradient_squared: f64,
    /// S_b.
    pub innovation_variance: f64,
    /// Coefficient of the direction in x: P / S, or 1 / S for KOALA++, c p11 / S for KOALA-A.
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
    /// KOALA-A: direction h / D; `velocity` = c p12 / S.
    Adaptive {
        velocity: f64,
        /// c.
        scale: f64,
        /// What is added to the roots in D, if there is a metric.
        floor: Option<f64>,
        whiteness: Whiteness,
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
                velocity: representable(scale * velocity),
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
            // Of a tensor without metric; the method knows more.
            GainKind::Adaptive { velocity, .. } => Memory::Adaptive {
                velocity: representable(scale * velocity),
                metric: None,
                averaging: None,
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
            GainKind::Adaptive { .. } => statistics.metric.direction_squared,
            _ if along_gradient => statistics.gradient_squared,
            _ => statistics.decayed_squared,
        }
    }

    /// d . h / |h|^2: the part of the direction that lies along h, per unit of h. 1 for V and M, the mean of 1 / D as the
    /// gradient sees it for KOALA-A.
    pub fn direction_along_gradient(&self, statistics: &BlockStatistics) -> f64 {
        match self.kind {
            GainKind::PlusPlus { .. } => {
                let (a, b, c) = self.direction_coefficients();
                let along = a * statistics.products.gradient_covariance
                    + b * statistics.decayed_squared
                    + c * statistics.products.gradient_previous;
                quotient(along, statistics.decayed_squared)
            }
            GainKind::Adaptive { .. } => quotient(
                statistics.metric.weighted_gradient,
                statistics.decayed_squared,
            ),
            _ => 1.0,
        }
    }

    /// The mean of KOALA-A's metric over a block, weighted by ŝ: 1 over the whole model.
    pub fn metric(&self, statistics: &BlockStatistics) -> Option<f64> {
        match self.kind {
            GainKind::Adaptive {
                scale,
                floor: Some(_),
                ..
            } => Some(
                scale
                    * quotient(
                        statistics.metric.weighted_second_moment,
                        statistics.metric.second_moment,
                    ),
            ),
            _ => None,
        }
    }

    /// What KOALA-A's whiteness test said.
    pub fn whiteness(&self) -> Option<Whiteness> {
        match self.kind {
            GainKind::Adaptive { whiteness, .. } => Some(whiteness),
            _ => None,
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

/// The coefficient of a step as adapters get it: a number in f32 too, the same for every type of tensor. A larger one is of
/// a vector that is all but 0, and not a number times 0 either.
pub(crate) fn representable(coefficient: f64) -> f64 {
    coefficient.clamp(f64::from(f32::MIN), f64::from(f32::MAX))
}

/// numerator / denominator, and 0 where the denominator is 0: a gain without uncertainty and without noise is none.
pub(crate) fn quotient(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        numerator / denominator
    }
}
