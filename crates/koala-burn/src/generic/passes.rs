//! What moves parameters and their memory.

use burn::Tensor;
use koala_filter::{Deviation, Displacement, Memory, MetricStep, Motion};

use super::metric::second_moment;
use super::sums::dot;
use super::{Slots, decayed};

/// a <- weight a + (1 - weight) x.
fn averaged(weight: f64, average: Tensor<1>, parameter: Tensor<1>) -> Tensor<1> {
    average.mul_scalar(weight) + parameter.mul_scalar(1.0 - weight)
}

/// x̄ + weight (x - x̄).
pub(crate) fn average(weight: f64, parameter: Tensor<1>, mean: Tensor<1>) -> Tensor<1> {
    mean.clone() + (parameter - mean).mul_scalar(weight)
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

/// Update: the parameter after its step; `memory` is changed in place.
pub(crate) fn displaced(
    displacement: &Displacement,
    parameter: Tensor<1>,
    gradient: &Tensor<1>,
    memory: &mut Slots,
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
    match (displacement.memory, memory) {
        (
            Memory::Velocity {
                velocity,
                averaging,
            },
            [Some(v), a, _],
        ) => {
            *v = v.clone() - h.clone().mul_scalar(velocity);
            let parameter = step(parameter, h);
            if let (Some(weight), Some(a)) = (averaging, a) {
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
            [Some(v), Some(p), _],
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
        (
            Memory::Adaptive {
                velocity,
                metric,
                averaging,
            },
            [Some(v), s, mean],
        ) => {
            let d = match (metric, s) {
                (Some(metric), Some(s)) => direction(metric, h, s),
                _ => h,
            };
            *v = v.clone() - d.clone().mul_scalar(velocity);
            let parameter = step(parameter, d);
            if let (Some(weight), Some(mean)) = (averaging, mean) {
                *mean = average(weight, parameter.clone(), mean.clone());
            }
            parameter
        }
        _ => step(parameter, h),
    }
}

/// h / D; s is brought up to date.
fn direction(metric: MetricStep, h: Tensor<1>, s: &mut Tensor<1>) -> Tensor<1> {
    *s = second_moment(metric.smoothing, s, &h);
    let root = s.clone().mul_scalar(metric.correction).sqrt();
    h / root.add_scalar(metric.floor)
}
