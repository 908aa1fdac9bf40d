//! The passes over memory, each over one piece of one tensor, elementwise or summing. Adapters whose tensors can be
//! seen as slices use them too. All slices of a call must have the same length (but for those said to be empty); the
//! shortest decides.
//!
//! Compiled several times, for wider vectors where the processor has them. The bits are the same: elements are independent,
//! sums have a fixed number of lanes, and no multiplication is fused with an addition.

use multiversion::multiversion;

use super::real::Real;
use crate::plan::{Deviation, Displacement, Memory, Motion};
use crate::statistics::{BlockStatistics, Products, Reduction};

/// Independent sums, so that additions need not wait for one another. Fixed: part of the bits of every sum.
const LANES: usize = 8;

/// Sums of K terms per element over rows of equal length, in f64, in a fixed order of additions.
#[inline(always)]
fn sums<F: Real, const N: usize, const K: usize>(
    rows: [&[F]; N],
    terms: impl Fn([F; N]) -> [f64; K],
) -> [f64; K] {
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let rows = rows.map(|row| &row[..length]);
    let mut lanes = [[0.0; LANES]; K];
    let whole = length - length % LANES;
    for start in (0..whole).step_by(LANES) {
        let block: [&[F]; N] = rows.map(|row| &row[start..start + LANES]);
        for lane in 0..LANES {
            let values = terms(block.map(|row| row[lane]));
            for (sum, value) in lanes.iter_mut().zip(values) {
                sum[lane] += value;
            }
        }
    }
    let mut totals = lanes.map(|lane| lane.iter().sum::<f64>());
    for index in whole..length {
        let values = terms(rows.map(|row| row[index]));
        for (total, value) in totals.iter_mut().zip(values) {
            *total += value;
        }
    }
    totals
}

/// The sums that `reduction` asks for. `covariance` and `previous` (v' and H') are empty unless it asks for products.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn reduce<F: Real>(
    reduction: &Reduction,
    parameters: &[F],
    gradients: &[F],
    covariance: &[F],
    previous: &[F],
) -> BlockStatistics {
    let w = F::from_f64(reduction.decay);
    let decayed = reduction.decay != 0.0;
    // Without decay x is not read: g stands in for it, and w = 0 takes it out again.
    let parameters = if decayed { parameters } else { gradients };
    if reduction.products {
        let rows = [parameters, gradients, covariance, previous];
        let [g2, h2, x2, hp, pp, hv, pv, vv] = sums(rows, |[x, g, v, p]| {
            let (h, v, p) = ((g + w * x).to_f64(), v.to_f64(), p.to_f64());
            let (g, x) = (g.to_f64(), x.to_f64());
            [g * g, h * h, x * x, h * p, p * p, h * v, p * v, v * v]
        });
        return BlockStatistics {
            gradient_squared: g2,
            decayed_squared: h2,
            parameter_squared: if decayed { x2 } else { 0.0 },
            products: Products {
                gradient_previous: hp,
                previous_squared: pp,
                gradient_covariance: hv,
                previous_covariance: pv,
                covariance_squared: vv,
            },
        };
    }
    // One sum a pass: a piece stays in the cache, and a single sum is vectorised where three are not.
    let square = |row: &[F]| {
        let [sum] = sums([row], |[x]| [x.to_f64() * x.to_f64()]);
        sum
    };
    let g2 = square(gradients);
    let (h2, x2) = if decayed {
        let [h2] = sums([parameters, gradients], |[x, g]| {
            let h = (g + w * x).to_f64();
            [h * h]
        });
        (h2, square(parameters))
    } else {
        (g2, 0.0)
    };
    BlockStatistics {
        gradient_squared: g2,
        decayed_squared: h2,
        parameter_squared: x2,
        products: Products::default(),
    }
}

/// Predict: measures |a - x|^2 if the motion asks for it (`average` is empty if not), then x <- x + v, v <- kappa v
/// unless the parameters are `frozen`. Returns the sum.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn advance<F: Real>(
    motion: &Motion,
    frozen: bool,
    parameters: &mut [F],
    velocity: &mut [F],
    average: &mut [F],
) -> f64 {
    let deviation = match motion.deviation {
        Some(Deviation { averaging }) => {
            if let Some(weight) = averaging {
                run_average(weight, parameters, average);
            }
            let [squared] = sums([&*parameters, &*average], |[x, a]| {
                let difference = (a - x).to_f64();
                [difference * difference]
            });
            squared
        }
        None => 0.0,
    };
    if !frozen {
        let kappa = F::from_f64(motion.velocity_decay);
        for (x, v) in parameters.iter_mut().zip(velocity) {
            *x = *x + *v;
            *v = kappa * *v;
        }
    }
    deviation
}

/// a <- weight a + (1 - weight) x.
#[inline(always)]
fn run_average<F: Real>(weight: f64, parameters: &[F], average: &mut [F]) {
    let (old, new) = (F::from_f64(weight), F::from_f64(1.0 - weight));
    for (a, x) in average.iter_mut().zip(parameters) {
        *a = old * *a + new * *x;
    }
}

/// Update: moves the parameters and the method's memory. `first` and `second` are v and a for KOALA-M, v' and H' for
/// KOALA++; empty where the method has none.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn displace<F: Real>(
    displacement: &Displacement,
    parameters: &mut [F],
    gradients: &[F],
    first: &mut [F],
    second: &mut [F],
) {
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
    }
}
