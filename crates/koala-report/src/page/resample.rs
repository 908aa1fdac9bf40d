//! Runs have been looked at at different times: here they are brought to the same ones.

use crate::statistics::median;

/// A point of a run: where, and what; what may be NaN.
pub(super) type Point = (f64, f64);

/// Places for curves: all places where a run has a point if there are few, else evenly spaced ones.
pub(super) fn grid(runs: &[Vec<Point>], limit: usize) -> Vec<f64> {
    let mut places: Vec<f64> = runs
        .iter()
        .flatten()
        .map(|point| point.0)
        .filter(|place| place.is_finite())
        .collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    match (places.first(), places.last()) {
        (Some(&first), Some(&last)) if places.len() > limit => even(first, last, limit),
        _ => places,
    }
}

/// `count` places, evenly spaced.
pub(super) fn even(first: f64, last: f64, count: usize) -> Vec<f64> {
    let gaps = count.max(2) - 1;
    (0..=gaps)
        .map(|at| first + (last - first) * at as f64 / gaps as f64)
        .collect()
}

/// A run at given places: the mean of its points around each place, between points a straight line, NaN outside of them and
/// where a point was not finite. Points and places ascend.
pub(super) fn at(points: &[Point], grid: &[f64]) -> Vec<f64> {
    let mut from = 0;
    (0..grid.len())
        .map(|place| {
            let end = match grid.get(place + 1) {
                Some(next) => f64::midpoint(grid[place], *next),
                None => f64::INFINITY,
            };
            let mut to = from;
            while points.get(to).is_some_and(|point| point.0 < end) {
                to += 1;
            }
            let value = match &points[from..to] {
                [] => between(points, from, grid[place]),
                around => around.iter().map(|point| point.1).sum::<f64>() / around.len() as f64,
            };
            from = to;
            value
        })
        .collect()
}

fn between(points: &[Point], next: usize, place: f64) -> f64 {
    let Some((before, after)) = next
        .checked_sub(1)
        .and_then(|before| points.get(before).zip(points.get(next)))
    else {
        return f64::NAN;
    };
    if place < before.0 || after.0 <= before.0 {
        return f64::NAN;
    }
    before.1 + (after.1 - before.1) * (place - before.0) / (after.0 - before.0)
}

/// Over runs, place by place.
#[derive(Debug, Default)]
pub(super) struct Band {
    pub(super) middle: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

/// Median, least and largest over runs; nothing where fewer than half of them have a value, since then it is another curve.
pub(super) fn band(runs: &[Vec<f64>], places: usize) -> Band {
    let mut band = Band::default();
    for place in 0..places {
        let values: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.get(place).copied())
            .filter(|value| value.is_finite())
            .collect();
        let enough = !values.is_empty() && 2 * values.len() >= runs.len();
        let told = |value: Option<f64>| value.filter(|_| enough).unwrap_or(f64::NAN);
        band.middle.push(told(median(&values)));
        band.low
            .push(told(values.iter().copied().min_by(f64::total_cmp)));
        band.high
            .push(told(values.iter().copied().max_by(f64::total_cmp)));
    }
    band
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_places_are_kept_as_they_are_and_many_are_evened_out() {
        let runs = [vec![(0.0, 1.0), (2.0, 1.0)], vec![(1.0, 1.0), (2.0, 1.0)]];
        assert_eq!(grid(&runs, 3), [0.0, 1.0, 2.0]);
        assert_eq!(grid(&runs, 2), [0.0, 2.0]);
        assert_eq!(grid(&[], 2), [0.0; 0]);
    }

    #[test]
    fn between_points_a_line_and_outside_nothing() {
        let found = at(&[(1.0, 10.0), (3.0, 30.0)], &[0.0, 0.9, 2.0, 3.0, 9.0]);
        assert!(found[0].is_nan() && found[4].is_nan());
        assert_eq!(found[1..4], [10.0, 20.0, 30.0]);
    }

    #[test]
    fn the_band_ends_where_most_runs_have_ended() {
        let nan = f64::NAN;
        let runs = [
            vec![1.0, nan, nan],
            vec![2.0, 2.0, nan],
            vec![6.0, 4.0, 4.0],
        ];
        let band = band(&runs, 3);
        assert_eq!(band.middle[..2], [2.0, 3.0]);
        assert_eq!(band.high[..2], [6.0, 4.0]);
        assert!(band.middle[2].is_nan() && band.low[2].is_nan());
    }

    proptest! {
        #[test]
        fn a_run_on_a_line_stays_on_it(
            count in 2usize..40,
            limit in 2usize..60,
            slope in -3.0f64..3.0,
        ) {
            let run: Vec<Point> = (0..count).map(|at| (at as f64, slope * at as f64)).collect();
            let places = grid(std::slice::from_ref(&run), limit);
            let found = at(&run, &places);
            prop_assert!(places.len() <= limit.max(2));
            // A mean of points around a place is at most half a gap off, and the ends lean inward.
            let gap = (count - 1) as f64 / (places.len() - 1) as f64;
            for (place, value) in places.iter().zip(found) {
                prop_assert!((value - slope * place).abs() <= slope.abs() * gap + 1e-9);
            }
        }
    }
}
