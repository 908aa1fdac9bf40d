//! A run on the screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, LineGauge, Paragraph, Wrap};

use super::{Look, chart, look};
use crate::watch::snapshot::Snapshot;
use crate::watch::state::State;
use crate::watch::text;

/// Least width and height of the screen on which panels stand beside each other.
const ALL: (u16, u16) = (76, 20);
/// Lines of what is said below the progress, at most.
const NOTE: u16 = 3;
/// Height from which there are three of them on top of each other.
const THREE: u16 = 32;

/// Draws a run; `back` if there is a list to go back to, and what is wrong at the moment.
pub fn run(frame: &mut Frame, shown: &Snapshot, look: &Look, back: bool, fault: Option<&str>) {
    if look::too_small(frame) {
        return;
    }
    let note = Paragraph::new(note(shown, look)).wrap(Wrap { trim: true });
    let lines = frame.area().width.max(1);
    let lines = text::remark(shown)
        .chars()
        .count()
        .div_ceil(usize::from(lines));
    let [head, said, body, foot] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(lines.clamp(1, usize::from(NOTE)) as u16),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    header(frame, head, shown, look);
    frame.render_widget(note, said);
    panels(frame, body, shown, look);
    footer(frame, foot, look, back, fault);
}

fn header(frame: &mut Frame, area: Rect, shown: &Snapshot, look: &Look) {
    let [title, gauge, progress] = Layout::vertical([Constraint::Length(1); 3]).areas(area);
    let hue = hue(&shown.state);
    let mut line = vec![
        Span::styled(shown.state.word(), look.hue(hue).patch(look.strong())),
        Span::raw("  "),
        Span::styled(shown.title(), look.strong()),
    ];
    if let Some(parameters) = shown.parameters {
        line.push(Span::styled(
            format!("  {parameters} parameters"),
            look.quiet(),
        ));
    }
    frame.render_widget(Line::from(line), title);
    let ratio = match shown.planned {
        Some(planned) if planned > 0 => shown.done as f64 / planned as f64,
        _ => 0.0,
    };
    let bar = LineGauge::default()
        .ratio(ratio.clamp(0.0, 1.0))
        .filled_symbol("━")
        .unfilled_symbol("─")
        .filled_style(look.hue(hue))
        .unfilled_style(look.quiet());
    frame.render_widget(bar, gauge);
    frame.render_widget(Line::from(text::progress(shown)), progress);
}

fn hue(state: &State) -> Color {
    match state {
        State::Running | State::Finished => Color::Green,
        State::Failed(_) => Color::Red,
        State::NotBegun | State::Interrupted | State::Stopped => Color::Yellow,
    }
}

/// Why it failed, how to go on with it, what came of it, or where it is.
fn note(shown: &Snapshot, look: &Look) -> Line<'static> {
    let style = match &shown.state {
        State::Finished => look.strong(),
        State::Running => look.quiet(),
        state => look.hue(hue(state)),
    };
    Line::styled(text::remark(shown), style)
}

fn panels(frame: &mut Frame, area: Rect, shown: &Snapshot, look: &Look) {
    let charts = shown.panels.len();
    let end = shown
        .panels
        .iter()
        .flat_map(|panel| &panel.curves)
        .filter_map(|curve| Some(curve.points.last()?.0))
        .fold(1.0, f64::max);
    let draw = |frame: &mut Frame, area: Rect, at: usize| match shown.panels.get(at) {
        Some(panel) => chart::draw(frame, area, panel, look, end),
        None => numbers(frame, area, shown, look),
    };
    let screen = frame.area();
    let whole = screen.width >= ALL.0 && screen.height >= ALL.1;
    // All panels together, then each alone: the charts and the numbers.
    let chosen = match whole {
        true => (look.panel % (charts + 2)).checked_sub(1),
        false => Some(look.panel % (charts + 1)),
    };
    if let Some(at) = chosen {
        draw(frame, area, at);
        return;
    }
    let places: Vec<usize> = if screen.height >= THREE {
        (0..=charts).collect()
    } else {
        vec![0, 1, 2, charts]
    };
    let rows = places.len().div_ceil(2);
    let heights = Layout::vertical(vec![Constraint::Fill(1); rows]).split(area);
    for (pair, row) in places.chunks(2).zip(heights.iter()) {
        let widths = Layout::horizontal(vec![Constraint::Fill(1); pair.len()]).split(*row);
        for (at, cell) in pair.iter().zip(widths.iter()) {
            draw(frame, *cell, *at);
        }
    }
}

/// What the last step and the last evaluation told, in numbers.
fn numbers(frame: &mut Frame, area: Rect, shown: &Snapshot, look: &Look) {
    let title = match shown.has_filter {
        Some(true) => " Filter at the last step ",
        _ => " Last step ",
    };
    let mut lines: Vec<Line> = Vec::new();
    if shown.has_filter == Some(false) {
        lines.push(Line::styled(text::NO_FILTER, look.quiet()));
    }
    let facts = shown.filter.iter().chain(&shown.scores);
    // Names have what numbers leave, and no more than the longest of them.
    let width = usize::from(area.width).saturating_sub(14).min(40);
    lines.extend(facts.map(|fact| Line::from(fact.line(width))));
    if shown.damaged > 0 {
        lines.push(Line::from(format!(
            "{} damaged lines in the log",
            shown.damaged
        )));
    }
    if lines.is_empty() {
        lines.push(Line::styled("no step has been told yet", look.quiet()));
    }
    let block = Block::bordered().title(Span::styled(title, look.strong()));
    // What does not fit is cut; shown alone, the panel has room for it.
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn footer(frame: &mut Frame, area: Rect, look: &Look, back: bool, fault: Option<&str>) {
    let line = match fault {
        Some(fault) => Span::styled(fault.to_owned(), look.hue(Color::Red)),
        None => {
            let leave = if back { "Esc list  q quit" } else { "q quit" };
            Span::styled(format!("Tab/←→ panel  l log axis  {leave}"), look.quiet())
        }
    };
    let text = Paragraph::new(Line::from(line)).wrap(Wrap { trim: true });
    frame.render_widget(text, area);
}
