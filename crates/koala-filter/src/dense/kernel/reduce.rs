//! The sums of an update.

use multiversion::multiversion;

use super::metric::Metric;
use super::sums::{TIER, dot, largest, sum, sums};
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::MetricStep;
use crate::statistics::{BlockStatistics, MetricSums, Products, Reduction, Sums};

/// The sums that `reduction` asks for; of a diagonal metric the largest ŝ alone.
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
    let metric = match reduction.sums {
        Sums::Gradient | Sums::Products => MetricSums::default(),
        Sums::UnitMetric => {
            let [velocity_gradient] = sums([parameters, gradients, first], |[x, g, v]| {
                [v.to_f64() * (g + w * x).to_f64()]
            });
            MetricSums {
                weighted_gradient: h2,
                direction_squared: h2,
                velocity_gradient,
                weighted_velocity: square(first),
                ..MetricSums::default()
            }
        }
        Sums::DiagonalMetric {
            smoothing,
            correction,
        } => {
            let metric = Metric::new(&MetricStep {
                smoothing,
                correction,
                floor: 0.0,
            });
            MetricSums {
                largest: largest([parameters, gradients, second], |[x, g, s]| {
                    metric.corrected(metric.second_moment(s, g + w * x))
                }),
                ..MetricSums::default()
            }
        }
    };
    BlockStatistics {
        gradient_squared: g2,
        decayed_squared: h2,
        parameter_squared: x2,
        products: Products::default(),
        metric,
    }
}

/// The second reading of a diagonal metric, whose `floor` is known by now: all its sums but the largest ŝ, which is 0 here.
/// Zeros for other sums.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn weigh<F: Real>(
    reduction: &Reduction,
    floor: f64,
    parameters: &[F],
    gradients: &[F],
    memory: [&[F]; SLOTS],
) -> MetricSums {
    let Sums::DiagonalMetric {
        smoothing,
        correction,
    } = reduction.sums
    else {
        return MetricSums::default();
    };
    let [velocity, second_moment, _] = memory;
    let w = F::from_f64(reduction.decay);
    let parameters = if reduction.decay == 0.0 {
        gradients
    } else {
        parameters
    };
    let metric = Metric::new(&MetricStep {
        smoothing,
        correction,
        floor,
    });
    let mut total = MetricSums::default();
    let rows = [parameters, gradients, velocity, second_moment];
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    // Small enough to stay beside the processor: one simple loop after the other is vectorised, all in one are not.
    let mut rooms = [[F::default(); TIER]; 5];
    for start in (0..length).step_by(TIER) {
        let [x, g, v, s] = rows.map(|row| &row[start..length.min(start + TIER)]);
        let [h, hat, d, share, weighted] = rooms.each_mut().map(|room| &mut room[..g.len()]);
        for (h, (&g, &x)) in h.iter_mut().zip(g.iter().zip(x)) {
            *h = g + w * x;
        }
        for (hat, (&s, &h)) in hat.iter_mut().zip(s.iter().zip(&*h)) {
            *hat = metric.corrected(metric.second_moment(s, h));
        }
        for (weighted, &hat) in weighted.iter_mut().zip(&*hat) {
            *weighted = metric.root(hat);
        }
        for (share, &denominator) in share.iter_mut().zip(&*weighted) {
            *share = F::from_f64(1.0) / denominator;
        }
        for (d, (&h, &inverse)) in d.iter_mut().zip(h.iter().zip(&*share)) {
            *d = h * inverse;
        }
        for (share, &hat) in share.iter_mut().zip(&*hat) {
            *share = *share * hat;
        }
        for (weighted, &v) in weighted.iter_mut().zip(v) {
            *weighted = *weighted * v;
        }
        total += MetricSums {
            largest: 0.0,
            second_moment: sum(hat),
            weighted_second_moment: sum(share),
            weighted_gradient: dot(h, d),
            direction_squared: dot(d, d),
            velocity_gradient: dot(v, h),
            weighted_velocity: dot(v, weighted),
        };
    }
    total
}
