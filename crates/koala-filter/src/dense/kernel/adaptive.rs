//! KOALA-A's update.

use super::metric::Metric;
use crate::dense::real::Real;
use crate::plan::{Displacement, MetricStep};

/// A piece of a tensor with what KOALA-A stores for it; empty where it stores nothing.
pub(super) struct Rows<'a, F> {
    pub parameters: &'a mut [F],
    pub gradients: &'a [F],
    pub velocities: &'a mut [F],
    pub second_moments: &'a mut [F],
    pub means: &'a mut [F],
}

impl<F: Real> Rows<'_, F> {
    /// Does the step, and the next prediction where it is joined.
    #[inline(always)]
    pub fn step(
        self,
        displacement: &Displacement,
        velocity: f64,
        metric: Option<&MetricStep>,
        averaging: Option<f64>,
    ) {
        let velocity = F::from_f64(velocity);
        let position = F::from_f64(displacement.position);
        let shrinkage = F::from_f64(displacement.shrinkage);
        // Along d = h / D; returns x after the step.
        let step = |x: &mut F, d: F, v: &mut F| {
            *v = *v - velocity * d;
            *x = shrinkage * (*x - position * d);
            *x
        };
        match displacement.prediction.map(F::from_f64) {
            None => self.each(displacement.decay, metric, averaging, step),
            Some(kappa) => self.each(
                displacement.decay,
                metric,
                averaging,
                |x: &mut F, d: F, v: &mut F| {
                    let updated = step(x, d, v);
                    *x = updated + *v;
                    *v = kappa * *v;
                    updated
                },
            ),
        }
    }

    #[inline(always)]
    fn each(
        self,
        decay: f64,
        metric: Option<&MetricStep>,
        averaging: Option<f64>,
        step: impl Fn(&mut F, F, &mut F) -> F,
    ) {
        let w = F::from_f64(decay);
        let rows = self.parameters.iter_mut().zip(self.gradients);
        let rows = rows.zip(self.velocities);
        let metric = metric.map(Metric::new);
        // h / D, with s brought up to date.
        let direction = |metric: &Metric<F>, s: &mut F, h: F| {
            *s = metric.second_moment(*s, h);
            h / metric.denominator(*s)
        };
        let average = |weight: F, mean: &mut F, x: F| *mean = *mean + weight * (x - *mean);
        match (metric, averaging.map(F::from_f64)) {
            (Some(metric), Some(weight)) => {
                for ((((x, &g), v), s), mean) in rows.zip(self.second_moments).zip(self.means) {
                    let h = g + w * *x;
                    let updated = step(x, direction(&metric, s, h), v);
                    average(weight, mean, updated);
                }
            }
            (Some(metric), None) => {
                for (((x, &g), v), s) in rows.zip(self.second_moments) {
                    let h = g + w * *x;
                    step(x, direction(&metric, s, h), v);
                }
            }
            (None, Some(weight)) => {
                for (((x, &g), v), mean) in rows.zip(self.means) {
                    let h = g + w * *x;
                    let updated = step(x, h, v);
                    average(weight, mean, updated);
                }
            }
            (None, None) => {
                for ((x, &g), v) in rows {
                    let h = g + w * *x;
                    step(x, h, v);
                }
            }
        }
    }
}
