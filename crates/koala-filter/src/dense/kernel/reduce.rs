//! The sums of an update.

use multiversion::multiversion;

use super::sums::sums;
use super::weigh::metric_sums;
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::MetricStep;
use crate::statistics::{BlockStatistics, MetricSums, Products, Reduction, Sums};

/// The sums that `reduction` asks for; of a diagonal metric the largest ŝ, and the sums with the last update's floor.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn reduce<F: Real>(
    reduction: &Reduction,
    parameters: &[F],
    gradients: &[F],
    memory: [&[F]; SLOTS],
) -> BlockStatistics {
    let [first, second, _] = memory;
    let w = F::from_f64(reduction.decay);
    let decayed = reduction.decay != 0.0;
    // Without decay x is not read: g stands in for it, and w = 0 takes it out again.
    let parameters = if decayed { parameters } else { gradients };
    if reduction.sums == Sums::Products {
        let rows = [parameters, gradients, first, second];
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
            metric: MetricSums::default(),
        };
    }
    // One sum a pass: a piece stays in the cache, and a single sum is vectorised where three are not.
    let square = |row: &[F]| {
        let [sum] = sums([row], |[x]| [x.to_f64() * x.to_f64()]);
        sum
    };
    let decayed_square = || {
        if !decayed {
            return square(gradients);
        }
        let [h2] = sums([parameters, gradients], |[x, g]| {
            let h = (g + w * x).to_f64();
            [h * h]
        });
        h2
    };
    let (h2, metric) = match reduction.sums {
        Sums::Gradient | Sums::Products => (decayed_square(), MetricSums::default()),
        Sums::UnitMetric => {
            let h2 = decayed_square();
            let [velocity_gradient] = sums([parameters, gradients, first], |[x, g, v]| {
                [v.to_f64() * (g + w * x).to_f64()]
            });
            let sums = MetricSums {
                weighted_gradient: h2,
                direction_squared: h2,
                velocity_gradient,
                weighted_velocity: square(first),
                ..MetricSums::default()
            };
            (h2, sums)
        }
        Sums::DiagonalMetric {
            smoothing,
            correction,
            floor,
        } => {
            let step = MetricStep {
                smoothing,
                correction,
                floor,
            };
            metric_sums(&step, reduction.decay, parameters, gradients, memory)
        }
    };
    let (g2, x2) = if decayed {
        (square(gradients), square(parameters))
    } else {
        (h2, 0.0)
    };
    BlockStatistics {
        gradient_squared: g2,
        decayed_squared: h2,
        parameter_squared: x2,
        products: Products::default(),
        metric,
    }
}
