//! Reductions and updates by tensor operations, for every device and type. All tensors are flat.

use burn::Tensor;
use koala_filter::{
    BlockStatistics, Deviation, Displacement, Memory, MetricSums, Motion, Products, Reduction, Sums,
};

/// Sums of more elements than this are taken in two tiers: one flat `f32` sum would lose digits.
const TIER: usize = 1024;

/// The sum of all elements, as a tensor of one.
fn sum(terms: Tensor<1>) -> Tensor<1> {
    let elements = terms.dims()[0];
    let rows = elements / TIER;
    if rows < 2 {
        return terms.sum();
    }
    let whole = rows * TIER;
    let body = terms.clone().narrow(0, 0, whole).reshape([rows, TIER]);
    let body = body.sum_dim(1).reshape([rows]).sum();
    if whole == elements {
        body
    } else {
        body + terms.narrow(0, whole, elements - whole).sum()
    }
}

fn dot(left: &Tensor<1>, right: &Tensor<1>) -> Tensor<1> {
    sum(left.clone() * right.clone())
}

/// h = g + w x.
fn decayed(decay: f64, parameter: &Tensor<1>, gradient: &Tensor<1>) -> Tensor<1> {
    if decay == 0.0 {
        gradient.clone()
    } else {
        gradient.clone() + parameter.clone().mul_scalar(decay)
    }
}

/// The sums that `reduction` asks for, to be read back and given to [`statistics`]. `vectors` are v' and H' of KOALA++.
pub(crate) fn sums(
    reduction: &Reduction,
    parameter: &Tensor<1>,
    gradient: &Tensor<1>,
    vectors: &[Tensor<1>],
) -> Vec<Tensor<1>> {
    let mut sums = vec![dot(gradient, gradient)];
    let h = decayed(reduction.decay, parameter, gradient);
    if reduction.decay != 0.0 {
        sums.extend([dot(&h, &h), dot(parameter, parameter)]);
    }
    if let (Sums::Products, [v, p]) = (reduction.sums, vectors) {
        sums.extend([dot(&h, p), dot(p, p), dot(&h, v), dot(p, v), dot(v, v)]);
    }
    sums
}

/// The statistics from the numbers that were read back, in the order of [`sums`].
pub(crate) fn statistics(
    reduction: &Reduction,
    numbers: &mut impl Iterator<Item = f64>,
) -> BlockStatistics {
    let mut next = || numbers.next().unwrap_or(f64::NAN);
    let gradient_squared = next();
    let (decayed_squared, parameter_squared) = if reduction.decay == 0.0 {
        (gradient_squared, 0.0)
    } else {
        (next(), next())
    };
    let products = if reduction.sums == Sums::Products {
        Products {
            gradient_previous: next(),
            previous_squared: next(),
            gradient_covariance: next(),
            previous_covariance: next(),
            covariance_squared: next(),
        }
    } else {
        Products::default()
    };
    BlockStatistics {
        gradient_squared,
        decayed_squared,
        parameter_squared,
        products,
        metric: MetricSums::default(),
    }
}

/// a <- weight a + (1 - weight) x.
fn averaged(weight: f64, average: Tensor<1>, parameter: Tensor<1>) -> Tensor<1> {
    average.mul_scalar(weight) + parameter.mul_scalar(1.0 - weight)
}

/// First half of predict: the running mean as it is from now on, and |a - x|^2.
pub(crate) fn deviation(
    deviation: &Deviation,
    parameter: &Tensor<1>,
    average: &Tensor<1>,
) -> (Tensor<1>, Tensor<1>) {
    let average = match deviation.averaging {
        Some(weight) => averaged(weight, average.clone(), parameter.clone()),
        None => average.clone(),
    };
    let difference = average.clone() - parameter.clone();
    (average, dot(&difference, &difference))
}

/// Second half of predict: x + v and kappa v.
pub(crate) fn advanced(
    motion: &Motion,
    parameter: Tensor<1>,
    velocity: Tensor<1>,
) -> (Tensor<1>, Tensor<1>) {
    (
        parameter + velocity.clone(),
        velocity.mul_scalar(motion.velocity_decay),
    )
}

/// Update: the parameter after its step; `vectors` are changed in place.
pub(crate) fn displaced(
    displacement: &Displacement,
    parameter: Tensor<1>,
    gradient: &Tensor<1>,
    vectors: &mut [Tensor<1>],
) -> Tensor<1> {
    let h = decayed(displacement.decay, &parameter, gradient);
    let step = |parameter: Tensor<1>, direction: Tensor<1>| {
        let moved = parameter - direction.mul_scalar(displacement.position);
        if displacement.shrinkage == 1.0 {
            moved
        } else {
            moved.mul_scalar(displacement.shrinkage)
        }
    };
    match (displacement.memory, vectors) {
        (
            Memory::Velocity {
                velocity,
                averaging,
            },
            [v, rest @ ..],
        ) => {
            *v = v.clone() - h.clone().mul_scalar(velocity);
            let parameter = step(parameter, h);
            if let (Some(weight), [a]) = (averaging, rest) {
                *a = averaged(weight, a.clone(), parameter.clone());
            }
            parameter
        }
        (
            Memory::Covariance {
                previous,
                gradient,
                direction,
            },
            [v, p],
        ) => {
            let along = h.clone().mul_scalar(gradient);
            *v = match previous {
                Some(previous) => {
                    v.clone().mul_scalar(previous.covariance)
                        + along
                        + p.clone().mul_scalar(previous.gradient)
                }
                None => along,
            };
            *p = h.clone();
            step(parameter, v.clone() + h.mul_scalar(direction))
        }
        _ => step(parameter, h),
    }
}
