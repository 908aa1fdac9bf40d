//! Update.

use multiversion::multiversion;

use super::adaptive::Rows;
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
            match (averaging, displacement.prediction) {
                (Some(weight), _) => {
                    let (old, new) = (F::from_f64(weight), F::from_f64(1.0 - weight));
                    for (((x, &g), v), a) in rows.zip(second) {
                        step(x, g, v);
                        *a = old * *a + new * *x;
                    }
                }
                (None, None) => rows.for_each(|((x, &g), v)| step(x, g, v)),
                (None, Some(kappa)) => {
                    let kappa = F::from_f64(kappa);
                    for ((x, &g), v) in rows {
                        step(x, g, v);
                        *x = *x + *v;
                        *v = kappa * *v;
                    }
                }
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
            let rows = Rows {
                parameters,
                gradients,
                velocities: first,
                second_moments: second,
                means: third,
            };
            rows.step(displacement, velocity, metric.as_ref(), averaging);
        }
    }
}
