//! The curve of a workload, where it happens.

use super::chart::Series;
use super::curves::{Told, validation};
use super::ranking;
use super::resample::Band;
use super::svg::{Axis, LINE, Look, Plot, Scale, Scene};
use crate::{Comparison, WorkloadComparison};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 290.0;
const TOP: f64 = 28.0;
const FOOT: f64 = 44.0;
/// So much of the steps is the way in, which is not what one looks for.
const BEGUN: f64 = 0.12;
/// A line that ends so many times farther from the best than the middle one does not decide what is shown.
const FAR: f64 = 4.0;
/// Of so many lines each has its band.
const FEW: usize = 3;
/// The largest value shown over the least from which the axis is logarithmic.
const DECADE: f64 = 8.0;

/// Held-out samples of the arms that are shown at first sight; nothing if none of them has told anything.
pub(super) fn of(
    comparison: &Comparison,
    workload: &WorkloadComparison,
    arms: &[Told],
) -> Option<Scene> {
    let (shown, _) = ranking::shown(comparison, workload);
    let chosen: Vec<&Told> = shown
        .iter()
        .filter_map(|arm| {
            let mut all = arms.iter();
            all.find(|told| told.is(arm))
        })
        .collect();
    let (xs, bands) = validation(workload.measure, &chosen);
    let lines: Vec<(&Series, &Band)> = chosen
        .iter()
        .zip(&bands)
        .filter(|(_, band)| band.middle.iter().any(|value| value.is_finite()))
        .map(|(told, band)| (&told.series, band))
        .collect();
    let (first, last) = (*xs.first()?, *xs.last()?);
    if lines.is_empty() {
        return None;
    }
    let measure = workload.measure;
    let high = (HEIGHT - TOP - FOOT).max(LINE * lines.len() as f64);
    let right = Plot::margin(lines.iter().map(|(series, _)| series.name.as_str()));
    let values: Vec<&[f64]> = lines
        .iter()
        .map(|(_, band)| band.middle.as_slice())
        .collect();
    let target = workload.target.map(|target| target.value);
    let (scale, low, top) = range(&xs, &values);
    let y = Axis::over(scale, [low, top], (TOP + high, TOP));
    let left = Plot::left(&y);
    let frame = [left, TOP, WIDTH - left - right, high];
    let plot = Plot {
        frame,
        x: match first < last {
            true => Axis {
                scale: Scale::Linear,
                low: first.min(0.0),
                high: last,
                from: frame[0],
                to: frame[0] + frame[2],
            },
            false => Axis::over(Scale::Linear, [last], (frame[0], frame[0] + frame[2])),
        },
        y,
    };
    let mut scene = Scene {
        width: WIDTH,
        height: TOP + high + FOOT,
        title: format!("{}: validation {} by steps", workload.name, measure.noun()),
        description: super::figures::ends(
            lines
                .iter()
                .map(|(series, band)| (series.name.as_str(), band.middle.as_slice())),
        ),
        ..Scene::default()
    };
    plot.axes(
        &mut scene,
        "steps",
        &format!("validation {} ({})", measure.noun(), measure.unit()),
    );
    if let Some(target) = target {
        plot.level(&mut scene, target, "target", (&xs, &values));
    }
    // Bands of many lines hide each other: those of the best of ours and of the best of the others are enough.
    let first = |koala: bool| lines.iter().position(|(series, _)| series.koala == koala);
    let told = [first(true), first(false)];
    for (at, (series, band)) in lines.iter().enumerate() {
        if lines.len() <= FEW || told.contains(&Some(at)) {
            plot.band(&mut scene, &xs, &band.low, &band.high, series.hue);
        }
    }
    let mut ends = Vec::new();
    // The best, which stand first, are drawn last: above the others.
    for (series, band) in lines.iter().rev() {
        let look = Look::of(series);
        let points: Vec<(f64, f64)> = xs
            .iter()
            .copied()
            .zip(band.middle.iter().copied())
            .collect();
        plot.line(&mut scene, &points, &look, false);
        let last = points.iter().rev().find(|(_, value)| value.is_finite());
        ends.extend(last.map(|end| (*end, look)));
    }
    plot.names(&mut scene, &ends);
    Some(scene)
}

/// What is shown: from the least value to where the lines are when they have begun, and all ends but those that lie far from most.
fn range(xs: &[f64], lines: &[&[f64]]) -> (Scale, f64, f64) {
    let finite = |values: &&[f64]| -> Vec<f64> {
        values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect()
    };
    let lines_of: Vec<Vec<f64>> = lines.iter().map(finite).collect();
    let mut ends: Vec<f64> = lines_of
        .iter()
        .filter_map(|values| values.last().copied())
        .collect();
    ends.sort_by(f64::total_cmp);
    let (Some(best), Some(middle)) = (ends.first().copied(), ends.get(ends.len() / 2).copied())
    else {
        return (Scale::Linear, 0.0, 1.0);
    };
    let apart = (middle - best).max(0.05 * middle.abs());
    let far = match ends.len() {
        3.. if apart > 0.0 => middle + FAR * apart,
        _ => f64::INFINITY,
    };
    let begun = xs
        .first()
        .zip(xs.last())
        .map_or(0.0, |(first, last)| first + BEGUN * (last - first));
    // Ends that are all the same have nothing between them to be told apart: then the way down is what is to be seen.
    let same = ends.last() == Some(&best) && (ends.len() > 1 || best == 0.0);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for values in lines {
        let known = || {
            xs.iter()
                .zip(*values)
                .filter(|(_, value)| value.is_finite())
        };
        let Some((_, end)) = known().next_back().filter(|(_, end)| **end <= far) else {
            continue;
        };
        low = known().fold(low, |low, (_, value)| low.min(*value));
        let mut start = known()
            .filter(|(x, _)| same || **x >= begun)
            .map(|(_, value)| *value);
        high = match same {
            true => start.fold(high, f64::max),
            false => high.max(start.next().unwrap_or(*end)).max(*end),
        };
    }
    // A line that begins far above the others shows its way in, but not so that their ends become one.
    let spread = (middle - best).max(0.02 * middle.abs());
    let near =
        best + 14.0 * spread.max(0.25 * (ends.last().map_or(middle, |last| last.min(far)) - best));
    let linear = if same { high } else { high.min(near) };
    match low > 0.0 && high / low > DECADE {
        true => (Scale::Logarithmic, low, high),
        false => (Scale::Linear, low, linear.max(low)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_in_and_a_line_far_from_all_are_cut_off() {
        let xs: Vec<f64> = (0..=100).map(f64::from).collect();
        let line =
            |end: f64| -> Vec<f64> { xs.iter().map(|x| end + 40.0 * (-x / 4.0).exp()).collect() };
        let lines = [line(1.0), line(1.1), line(1.2), line(30.0)];
        let lines: Vec<&[f64]> = lines.iter().map(Vec::as_slice).collect();
        let (scale, low, high) = range(&xs, &lines);
        assert_eq!(scale, Scale::Linear);
        assert!(
            (0.9..1.01).contains(&low) && (1.2..5.0).contains(&high),
            "{low} {high}"
        );
        // Over decades the axis is logarithmic.
        let falling: Vec<f64> = xs.iter().map(|x| (-x / 10.0).exp()).collect();
        let (scale, low, high) = range(&xs, &[&falling]);
        assert_eq!(scale, Scale::Logarithmic);
        assert!(low < 1e-4 && (0.2..0.4).contains(&high), "{low} {high}");
        assert_eq!(range(&xs, &[&[f64::NAN; 101]]), (Scale::Linear, 0.0, 1.0));
    }

    /// All errors come down to none: where they came from is what the axis shows.
    #[test]
    fn lines_that_all_end_at_nothing_are_seen_whole() {
        let xs: Vec<f64> = (0..=30).map(f64::from).collect();
        let down = |steps: f64| -> Vec<f64> {
            let at = |x: &f64| (66.0 * (1.0 - x / steps)).max(0.0);
            xs.iter().map(at).collect()
        };
        let (fast, slow) = (down(2.0), down(8.0));
        assert_eq!(range(&xs, &[&fast, &slow]), (Scale::Linear, 0.0, 66.0));
        assert_eq!(range(&xs, &[&fast]), (Scale::Linear, 0.0, 66.0));
        // Ends that are the same and not zero, too.
        let above = |line: &[f64]| -> Vec<f64> { line.iter().map(|value| value + 20.0).collect() };
        let (above_fast, above_slow) = (above(&fast), above(&slow));
        assert_eq!(
            range(&xs, &[&above_fast, &above_slow]),
            (Scale::Linear, 20.0, 86.0)
        );
        // One that does not come down stands above the others.
        let (scale, low, high) = range(&xs, &[&fast, &slow, &[50.0; 31]]);
        assert_eq!((scale, low), (Scale::Linear, 0.0));
        assert!(high >= 50.0, "{high}");
    }
}
