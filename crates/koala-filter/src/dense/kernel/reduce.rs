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
    let mut metric = MetricSums::default();
    let mut products = Products::default();
    let [g2, h2, x2] = match reduction.sums {
        Sums::Gradient if !decayed => {
            let [g2] = sums([gradients], |[g]| [g.to_f64() * g.to_f64()]);
            [g2, g2, 0.0]
        }
        Sums::Gradient => sums([parameters, gradients], |[x, g]| squares(w, x, g)),
        Sums::Products => {
            let rows = [parameters, gradients, first, second];
            let [g2, h2, x2, hp, pp, hv, pv, vv] = sums(rows, |[x, g, v, p]| {
                let [g2, h2, x2] = squares(w, x, g);
                let (h, v, p) = ((g + w * x).to_f64(), v.to_f64(), p.to_f64());
                [g2, h2, x2, h * p, p * p, h * v, p * v, v * v]
            });
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
            let [g2, h2, x2, vh, vv] = sums([parameters, gradients, first], |[x, g, v]| {
                let [g2, h2, x2] = squares(w, x, g);
                let (h, v) = ((g + w * x).to_f64(), v.to_f64());
                [g2, h2, x2, v * h, v * v]
            });
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
            if decayed {
                let [g2, x2] = sums([parameters, gradients], |[x, g]| {
                    let (g, x) = (g.to_f64(), x.to_f64());
                    [g * g, x * x]
                });
                [g2, h2, x2]
            } else {
                [h2, h2, 0.0]
            }
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

/// g^2, h^2 and x^2 of an element.
#[inline(always)]
fn squares<F: Real>(w: F, x: F, g: F) -> [f64; 3] {
    let h = (g + w * x).to_f64();
    let (g, x) = (g.to_f64(), x.to_f64());
    [g * g, h * h, x * x]
}
