//! The sums over a tensor as Python's engines have them: a list of numbers.

use koala_filter::{BlockStatistics, FloorSlopes, MetricSums, Products, SumsKind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The sums over one tensor, in the order of `BlockStatistics`: the three of every method, and its products or, for a
/// method with a metric, the sums in it.
pub(crate) type Numbers = Vec<f64>;

/// The sums that these numbers are.
///
/// # Errors
/// If the method has another number of them.
pub(crate) fn statistics_of(kind: SumsKind, sums: &[f64]) -> PyResult<BlockStatistics> {
    let mut found = BlockStatistics::default();
    match (kind, sums) {
        (SumsKind::Gradient | SumsKind::Products, &[g2, h2, x2, hp, pp, hv, pv, vv]) => {
            (found.gradient_squared, found.decayed_squared) = (g2, h2);
            found.parameter_squared = x2;
            found.products = Products {
                gradient_previous: hp,
                previous_squared: pp,
                gradient_covariance: hv,
                previous_covariance: pv,
                covariance_squared: vv,
            };
        }
        (
            SumsKind::Metric { .. },
            &[
                g2,
                h2,
                x2,
                largest,
                s,
                sd,
                hd,
                dd,
                vh,
                vd,
                to_s,
                to_h,
                to_d,
                to_v,
            ],
        ) => {
            (found.gradient_squared, found.decayed_squared) = (g2, h2);
            found.parameter_squared = x2;
            found.metric = MetricSums {
                largest,
                second_moment: s,
                weighted_second_moment: sd,
                weighted_gradient: hd,
                direction_squared: dd,
                velocity_gradient: vh,
                weighted_velocity: vd,
                slopes: FloorSlopes {
                    second_moment: to_s,
                    gradient: to_h,
                    direction: to_d,
                    velocity: to_v,
                },
            };
        }
        _ => {
            return Err(PyValueError::new_err(
                "another number of sums than the method has",
            ));
        }
    }
    Ok(found)
}

/// The numbers that these sums are.
pub(crate) fn sums_of(kind: SumsKind, found: &BlockStatistics) -> Numbers {
    let mut sums = vec![
        found.gradient_squared,
        found.decayed_squared,
        found.parameter_squared,
    ];
    match kind {
        SumsKind::Gradient | SumsKind::Products => {
            let products = found.products;
            sums.extend([
                products.gradient_previous,
                products.previous_squared,
                products.gradient_covariance,
                products.previous_covariance,
                products.covariance_squared,
            ]);
        }
        SumsKind::Metric { .. } => sums.extend(metric_numbers(&found.metric)),
    }
    sums
}

/// The last of them, those in the metric, alone.
pub(crate) fn metric_numbers(sums: &MetricSums) -> [f64; 11] {
    [
        sums.largest,
        sums.second_moment,
        sums.weighted_second_moment,
        sums.weighted_gradient,
        sums.direction_squared,
        sums.velocity_gradient,
        sums.weighted_velocity,
        sums.slopes.second_moment,
        sums.slopes.gradient,
        sums.slopes.direction,
        sums.slopes.velocity,
    ]
}
