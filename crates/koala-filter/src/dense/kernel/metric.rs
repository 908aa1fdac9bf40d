//! KOALA-A's metric of one element, for the reading and the writing passes alike.

use crate::dense::real::Real;
use crate::plan::MetricStep;

/// The numbers of a [`MetricStep`] in the type of the tensor.
#[derive(Clone, Copy)]
pub(super) struct Metric<F> {
    old: F,
    new: F,
    correction: F,
    floor: F,
}

impl<F: Real> Metric<F> {
    pub fn new(step: &MetricStep) -> Self {
        Self {
            old: F::from_f64(step.smoothing),
            new: F::from_f64(1.0 - step.smoothing),
            correction: F::from_f64(step.correction),
            floor: F::from_f64(step.floor),
        }
    }

    /// s after this step, from s before it and h.
    #[inline(always)]
    pub fn second_moment(&self, s: F, h: F) -> F {
        self.old * s + self.new * h * h
    }

    /// ŝ of an s after this step.
    #[inline(always)]
    pub fn corrected(&self, s: F) -> F {
        self.correction * s
    }

    /// D of an s after this step.
    #[inline(always)]
    pub fn denominator(&self, s: F) -> F {
        self.root(self.corrected(s))
    }

    /// D of an ŝ.
    #[inline(always)]
    pub fn root(&self, corrected: F) -> F {
        corrected.sqrt() + self.floor
    }
}
