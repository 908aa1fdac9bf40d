//! A chart of the page as a drawing: what the page shows at first.

use super::plot::{LINE, Look};
use super::{Axis, Plot, Scale, Scene};
use crate::ArmKind;
use crate::page::chart::{Chart, Join, Line, Series, View};
use crate::page::numbers::Short;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;

/// The lines that the page shows at first: of each optimizer the tuned one, if it was tuned. Nothing if there is no line.
pub(in crate::page) fn of(chart: &Chart, title: &str, description: &str) -> Option<Scene> {
    let view = chart.views.first()?;
    let any = |line: &Line| {
        [&line.middle, &line.high]
            .iter()
            .any(|values| values.iter().any(|one| one.0.is_finite()))
    };
    let tuned = |name: &str| {
        let mut all = chart.series.iter().zip(&view.lines);
        all.any(|(series, line)| {
            series.name == name && series.kind == Some(ArmKind::Tuned) && any(line)
        })
    };
    let shown: Vec<(&Series, &Line)> = chart
        .series
        .iter()
        .zip(&view.lines)
        .filter(|(series, line)| {
            let again = series.kind != Some(ArmKind::Tuned) && tuned(&series.name);
            series.shown && any(line) && !again
        })
        .collect();
    if shown.is_empty() {
        return None;
    }
    let mut scene = Scene {
        width: WIDTH,
        height: HEIGHT,
        title: title.to_owned(),
        description: description.to_owned(),
        ..Scene::default()
    };
    let plot = plot(chart, view, &shown, &mut scene);
    plot.axes(&mut scene, &view.x, &chart.y);
    let xs = numbers(&view.xs);
    if let Some((value, name)) = &chart.reference {
        let middles: Vec<Vec<f64>> = shown
            .iter()
            .map(|(_, line)| numbers(&line.middle))
            .collect();
        let lines: Vec<&[f64]> = middles.iter().map(Vec::as_slice).collect();
        plot.level(&mut scene, value.0, name, (&xs, &lines));
    }
    for (series, line) in &shown {
        plot.band(
            &mut scene,
            &xs,
            &numbers(&line.low),
            &numbers(&line.high),
            series.hue,
        );
    }
    let mut ends = Vec::new();
    for (series, line) in &shown {
        let look = Look::of(series);
        let values = if line.middle.is_empty() {
            &line.high
        } else {
            &line.middle
        };
        let points: Vec<(f64, f64)> = xs.iter().copied().zip(numbers(values)).collect();
        if !line.middle.is_empty() {
            plot.line(&mut scene, &points, &look, chart.join == Join::Steps);
        }
        let last = points.iter().rev().find(|(_, value)| value.is_finite());
        ends.extend(last.map(|end| (*end, look)));
    }
    plot.names(&mut scene, &ends);
    Some(scene)
}

fn plot(chart: &Chart, view: &View, shown: &[(&Series, &Line)], scene: &mut Scene) -> Plot {
    let right = Plot::margin(shown.iter().map(|(series, _)| series.name.as_str()));
    let top = 28.0;
    // Names of many lines need their height.
    let high = (HEIGHT - top - 44.0).max(LINE * shown.len() as f64);
    scene.height = top + high + 44.0;
    let scale = |logarithmic: bool| {
        if logarithmic {
            Scale::Logarithmic
        } else {
            Scale::Linear
        }
    };
    let lines = shown.iter().map(|(_, line)| {
        if line.middle.is_empty() {
            &line.high
        } else {
            &line.middle
        }
    });
    let values: Vec<f64> = lines
        .flat_map(|values| numbers(values))
        .chain(chart.reference.iter().map(|(value, _)| value.0))
        .collect();
    let y = Axis::over(scale(chart.log), values, (top + high, top));
    let left = Plot::left(&y);
    let frame = [left, top, WIDTH - left - right, high];
    Plot {
        frame,
        x: across(scale(chart.log_x), &numbers(&view.xs), frame),
        y,
    }
}

/// A horizontal axis without room at its ends.
fn across(scale: Scale, xs: &[f64], [left, _, wide, _]: [f64; 4]) -> Axis {
    let ends = xs.iter().copied().filter(|x| x.is_finite());
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    match low < high && (scale == Scale::Linear || low > 0.0) {
        true => Axis {
            scale,
            low,
            high,
            from: left,
            to: left + wide,
        },
        false => Axis::over(scale, xs.iter().copied(), (left, left + wide)),
    }
}

fn numbers(values: &[Short]) -> Vec<f64> {
    values.iter().map(|value| value.0).collect()
}

impl Look {
    pub(in crate::page) fn of(series: &Series) -> Self {
        Self {
            name: series.name.clone(),
            hue: series.hue,
            dash: series.dash,
            strong: series.koala,
        }
    }
}
