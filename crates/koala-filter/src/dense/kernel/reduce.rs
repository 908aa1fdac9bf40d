//! The sums of an update.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use super::sums::sums;
use super::terms::{Adding, Square, Squares, WithCovariance, WithVelocity};
use super::weigh::metric_sums;
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::MetricStep;
use crate::statistics::{BlockStatistics, MetricSums, Products, Reduction, Sums};

/// The sums that `reduction` asks for; of a diagonal metric the largest ŝ, and the sums with the last update's floor.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn reduce<F: Real>(
    reduction: &Reduction,
    parameters: &[F],
    gradients: &[F],
    memory: [&[F]; SLOTS],
) -> BlockStatistics {
    let adding = Adding {
        fused: target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64")),
    };
    let [first, second, _] = memory;
    let w = F::from_f64(reduction.decay);
    let decayed = reduction.decay != 0.0;
    // Without decay x is not read: g stands in for it, and w = 0 takes it out again.
    let parameters = if decayed { parameters } else { gradients };
    let mut metric = MetricSums::default();
    let mut products = Products::default();
    let [g2, h2, x2] = match reduction.sums {
        Sums::Gradient if !decayed => {
            let [g2] = sums([gradients], Square(adding));
            [g2, g2, 0.0]
        }
        Sums::Gradient => sums([parameters, gradients], Squares(adding, w)),
        Sums::Products => {
            let rows = [parameters, gradients, first, second];
            let [g2, h2, x2, hp, pp, hv, pv, vv] = sums(rows, WithCovariance(Squares(adding, w)));
            products = Products {
                gradient_previous: hp,
                previous_squared: pp,
                gradient_covariance: hv,
                previous_covariance: pv,
                covariance_squared: vv,
            };
            [g2, h2, x2]
        }
        Sums::UnitMetric => {
            let rows = [parameters, gradients, first];
            let [g2, h2, x2, vh, vv] = sums(rows, WithVelocity(Squares(adding, w)));
            metric = MetricSums {
                weighted_gradient: h2,
                direction_squared: h2,
                velocity_gradient: vh,
                weighted_velocity: vv,
                ..MetricSums::default()
            };
            [g2, h2, x2]
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
            let h2;
            (h2, metric) = metric_sums(&step, reduction.decay, parameters, gradients, memory);
            let [x2] = match decayed {
                true => sums([parameters], Square(adding)),
                false => [0.0],
            };
            // No block of this method is skipped for its |g|.
            [h2, h2, x2]
        }
    };
    BlockStatistics {
        gradient_squared: g2,
        decayed_squared: h2,
        parameter_squared: if decayed { x2 } else { 0.0 },
        products,
        metric,
    }
}
