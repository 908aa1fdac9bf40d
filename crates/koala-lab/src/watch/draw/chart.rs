//! A panel of curves.

use koala_report::page::plain;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

use super::Look;
use crate::watch::curves::{Curve, Panel};

/// Draws a panel, logarithmic if it can be and is to be. All charts have steps from 0 to the same end.
pub fn draw(frame: &mut Frame, area: Rect, panel: &Panel, look: &Look, end: f64) {
    let legend = panel.curves.iter().enumerate().map(|(at, curve)| {
        let mark = mark(curve, look).unwrap_or('⠒');
        Span::styled(format!(" {mark} {} ", curve.name), look.curve(at))
    });
    let mut title: Vec<Span> = legend.collect();
    let head = Span::styled(format!(" {} ", panel.title), look.strong());
    // Where there is no room for both, the legend says what the lines are.
    let room = usize::from(area.width).saturating_sub(2);
    let whole = head.width() + title.iter().map(Span::width).sum::<usize>();
    if whole <= room || title.is_empty() {
        title.insert(0, head);
    }
    let values = || panel.curves.iter().flat_map(|curve| &curve.points);
    // What is 0 has no logarithm: where nearly all is, as an error may be, the axis is plain.
    let positive = values().filter(|(_, value)| *value > 0.0).count();
    let logarithmic = panel.logarithmic && !look.plain_axes && 2 * positive > values().count();
    let block = Block::bordered().title(Line::from(title));
    let mut scaled: Vec<Vec<(f64, f64)>> = panel
        .curves
        .iter()
        .map(|curve| scaled(curve, logarithmic))
        .collect();
    let Some((low, high)) = bounds(&scaled) else {
        let text = Paragraph::new(panel.empty).style(look.quiet()).block(block);
        frame.render_widget(text, area);
        return;
    };
    for (_, value) in scaled.iter_mut().flatten() {
        *value = value.max(low);
    }
    let datasets = panel.curves.iter().zip(&scaled).enumerate();
    let datasets = datasets.map(|(at, (curve, points))| {
        Dataset::default()
            .marker(mark(curve, look).map_or(Marker::Braille, Marker::Custom))
            .graph_type(match curve.joined && points.len() > 1 {
                true => GraphType::Line,
                false => GraphType::Scatter,
            })
            .style(look.curve(at))
            .data(points)
    });
    let places = if area.height > 10 { 3 } else { 2 };
    let labels = (0..places).map(|place| {
        let value = low + (high - low) * f64::from(place) / f64::from(places - 1);
        plain(if logarithmic {
            10f64.powf(value)
        } else {
            value
        })
    });
    let labels: Vec<String> = labels.collect();
    let width = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    // Labels at the left stand as far out as the widest of all charts usually is, so that steps stand below each other.
    let labels = labels
        .into_iter()
        .map(|label| format!("{label:>0$}", width.max(8)));
    let chart = Chart::new(datasets.collect())
        .block(
            block.title_bottom(Line::from(if logarithmic { " log " } else { "" }).right_aligned()),
        )
        .legend_position(None)
        .x_axis(
            Axis::default()
                .bounds([0.0, end])
                .labels(["0".to_owned(), plain_steps(end)])
                .style(look.quiet()),
        )
        .y_axis(
            Axis::default()
                .bounds([low, high])
                .labels(labels)
                .style(look.quiet()),
        );
    frame.render_widget(chart, area);
}

/// What a curve is drawn with; nothing for a fine line, as all joined ones are where colours tell them apart.
fn mark(curve: &Curve, look: &Look) -> Option<char> {
    curve.mark.filter(|_| !(look.colours && curve.joined))
}

fn plain_steps(end: f64) -> String {
    format!("step {end:.0}")
}

fn scaled(curve: &Curve, logarithmic: bool) -> Vec<(f64, f64)> {
    let points = curve.points.iter().copied();
    if !logarithmic {
        return points.collect();
    }
    // What is 0 lies below all others, at the lower edge of the chart.
    let scale = |value: f64| match value > 0.0 {
        true => value.log10(),
        false => f64::NEG_INFINITY,
    };
    points.map(|(step, value)| (step, scale(value))).collect()
}

/// The least and the largest value, with some room if they are the same.
fn bounds(curves: &[Vec<(f64, f64)>]) -> Option<(f64, f64)> {
    let values = || {
        let all = curves.iter().flatten().map(|(_, value)| *value);
        all.filter(|value| value.is_finite())
    };
    let low = values().reduce(f64::min)?;
    let high = values().reduce(f64::max)?;
    if high - low > 1e-9 * high.abs() {
        Some((low, high))
    } else {
        let room = (0.5 * low.abs()).max(0.05);
        Some((low - room, high + room))
    }
}
