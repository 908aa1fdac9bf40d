//! The sums of an update, in one reading or two.

use burn::Tensor;
use koala_filter::{BlockStatistics, FloorSlopes, MetricSums, Products, Reduction, Sums};

use super::metric::second_moment;
use super::sums::{dot, largest, sum};
use super::{Slots, decayed};

/// A parameter whose sums are taken: sums on the device, to be read back with those of all others.
pub(crate) struct Reading {
    reduction: Reduction,
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    memory: Slots,
    sums: Vec<Tensor<1>>,
    /// The largest ŝ of a diagonal metric.
    largest: Option<Tensor<1>>,
}

impl Reading {
    /// The first reading, which for all but a diagonal metric is the only one. Everything of the parameter's working type.
    pub fn first(
        reduction: Reduction,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        memory: Slots,
    ) -> Self {
        let mut sums = vec![dot(&gradient, &gradient)];
        let h = decayed(reduction.decay, &parameter, &gradient);
        if reduction.decay != 0.0 {
            sums.extend([dot(&h, &h), dot(&parameter, &parameter)]);
        }
        let mut maximum = None;
        match (reduction.sums, &memory) {
            (Sums::Products, [Some(v), Some(p), _]) => {
                sums.extend([dot(&h, p), dot(p, p), dot(&h, v), dot(p, v), dot(v, v)]);
            }
            (Sums::UnitMetric, [Some(v), ..]) => sums.extend([dot(v, &h), dot(v, v)]),
            (
                Sums::DiagonalMetric {
                    smoothing,
                    correction,
                    ..
                },
                [_, Some(s), _],
            ) => {
                let found = largest(second_moment(smoothing, s, &h).mul_scalar(correction));
                sums.push(found.clone());
                maximum = Some(found);
            }
            _ => {}
        }
        Self {
            reduction,
            parameter,
            gradient,
            memory,
            sums,
            largest: maximum,
        }
    }

    /// The largest ŝ, of a diagonal metric.
    pub fn largest(&self) -> Option<Tensor<1>> {
        self.largest.clone()
    }

    /// The second reading of a diagonal metric, with its `floor` as a tensor of one on the parameter's device and of its
    /// working type.
    pub fn second(&mut self, floor: Tensor<1>) {
        let (
            Sums::DiagonalMetric {
                smoothing,
                correction,
                ..
            },
            [Some(v), Some(s), _],
        ) = (self.reduction.sums, &self.memory)
        else {
            return;
        };
        let h = decayed(self.reduction.decay, &self.parameter, &self.gradient);
        let s = second_moment(smoothing, s, &h).mul_scalar(correction);
        let denominator = match s.dims() {
            // Of nothing, to which Burn can expand nothing.
            [0] => s.clone(),
            elements => s.clone().sqrt() + floor.expand(elements),
        };
        let d = h.clone() / denominator.clone();
        self.sums.extend([
            sum(s.clone()),
            sum(s / denominator.clone()),
            dot(&h, &d),
            dot(&d, &d),
            dot(v, &h),
            sum(v.clone() * v.clone() * denominator),
        ]);
    }

    /// What is to be read back, for [`statistics`](Self::statistics).
    pub fn sums(&self) -> Vec<Tensor<1>> {
        self.sums.clone()
    }

    /// The statistics from the numbers that were read back.
    pub fn statistics(&self, numbers: &mut impl Iterator<Item = f64>) -> BlockStatistics {
        let mut next = || numbers.next().unwrap_or(f64::NAN);
        let gradient_squared = next();
        let (decayed_squared, parameter_squared) = if self.reduction.decay == 0.0 {
            (gradient_squared, 0.0)
        } else {
            (next(), next())
        };
        let mut statistics = BlockStatistics {
            gradient_squared,
            decayed_squared,
            parameter_squared,
            ..BlockStatistics::default()
        };
        match self.reduction.sums {
            Sums::Gradient => {}
            Sums::Products => {
                statistics.products = Products {
                    gradient_previous: next(),
                    previous_squared: next(),
                    gradient_covariance: next(),
                    previous_covariance: next(),
                    covariance_squared: next(),
                };
            }
            Sums::UnitMetric => {
                statistics.metric = MetricSums {
                    weighted_gradient: decayed_squared,
                    direction_squared: decayed_squared,
                    velocity_gradient: next(),
                    weighted_velocity: next(),
                    ..MetricSums::default()
                };
            }
            Sums::DiagonalMetric { .. } => {
                statistics.metric = MetricSums {
                    largest: next(),
                    second_moment: next(),
                    weighted_second_moment: next(),
                    weighted_gradient: next(),
                    direction_squared: next(),
                    velocity_gradient: next(),
                    weighted_velocity: next(),
                    // Taken with the floor itself.
                    slopes: FloorSlopes::default(),
                };
            }
        }
        statistics
    }
}
