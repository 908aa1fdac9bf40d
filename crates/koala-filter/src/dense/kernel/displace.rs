//! Update.

use multiversion::multiversion;

use super::metric::Metric;
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::{Displacement, Memory};

/// Update: moves the parameters and the method's memory.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn displace<F: Real>(
    displacement: &Displacement,
    parameters: &mut [F],
    gradients: &[F],
    memory: [&mut [F]; SLOTS],
) {
    let [first, second, third] = memory;
    let w = F::from_f64(displacement.decay);
    let position = F::from_f64(displacement.position);
    let shrinkage = F::from_f64(displacement.shrinkage);
    match displacement.memory {
        Memory::None => {
            for (x, &g) in parameters.iter_mut().zip(gradients) {
                let h = g + w * *x;
                *x = shrinkage * (*x - position * h);
            }
        }
        Memory::Velocity {
            velocity,
            averaging,
        } => {
            let velocity = F::from_f64(velocity);
            let rows = parameters.iter_mut().zip(gradients).zip(first);
            let step = |x: &mut F, g: F, v: &mut F| {
                let h = g + w * *x;
                *v = *v - velocity * h;
                *x = shrinkage * (*x - position * h);
            };
            match averaging {
                Some(weight) => {
                    let (old, new) = (F::from_f64(weight), F::from_f64(1.0 - weight));
                    for (((x, &g), v), a) in rows.zip(second) {
                        step(x, g, v);
                        *a = old * *a + new * *x;
                    }
                }
                None => rows.for_each(|((x, &g), v)| step(x, g, v)),
            }
        }
        Memory::Covariance {
            previous,
            gradient,
            direction,
        } => {
            let (gradient, direction) = (F::from_f64(gradient), F::from_f64(direction));
            let rows = parameters.iter_mut().zip(gradients).zip(first).zip(second);
            match previous {
                Some(previous) => {
                    let old = F::from_f64(previous.covariance);
                    let old_gradient = F::from_f64(previous.gradient);
                    for (((x, &g), v), p) in rows {
                        let h = g + w * *x;
                        *v = old * *v + gradient * h + old_gradient * *p;
                        *x = shrinkage * (*x - position * (*v + direction * h));
                        *p = h;
                    }
                }
                None => {
                    for (((x, &g), v), p) in rows {
                        let h = g + w * *x;
                        *v = gradient * h;
                        *x = shrinkage * (*x - position * (*v + direction * h));
                        *p = h;
                    }
                }
            }
        }
        Memory::Adaptive {
            velocity,
            metric,
            averaging,
        } => {
            let velocity = F::from_f64(velocity);
            // x after the step; h goes along d = h / D.
            let step = |x: &mut F, d: F, v: &mut F| {
                *v = *v - velocity * d;
                *x = shrinkage * (*x - position * d);
            };
            let rows = parameters.iter_mut().zip(gradients).zip(first);
            let weight = averaging.map(F::from_f64);
            match (metric, weight) {
                (Some(metric), Some(weight)) => {
                    let metric = Metric::new(&metric);
                    for ((((x, &g), v), s), mean) in rows.zip(second).zip(third) {
                        let h = g + w * *x;
                        *s = metric.second_moment(*s, h);
                        step(x, h / metric.denominator(*s), v);
                        *mean = *mean + weight * (*x - *mean);
                    }
                }
                (Some(metric), None) => {
                    let metric = Metric::new(&metric);
                    for (((x, &g), v), s) in rows.zip(second) {
                        let h = g + w * *x;
                        *s = metric.second_moment(*s, h);
                        step(x, h / metric.denominator(*s), v);
                    }
                }
                (None, Some(weight)) => {
                    for (((x, &g), v), mean) in rows.zip(third) {
                        let h = g + w * *x;
                        step(x, h, v);
                        *mean = *mean + weight * (*x - *mean);
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
}
