//! Runs to choose from on the screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, ListState};

use super::{Look, look};
use crate::watch::rows::Rows;
use crate::watch::state::State;
use crate::watch::text;

/// Runs, and which of them is chosen.
pub struct RowsView<'a> {
    /// The runs.
    pub rows: &'a Rows,
    /// The one that is chosen.
    pub selected: usize,
    /// What is wrong at the moment.
    pub fault: Option<&'a str>,
}

/// Draws them.
pub fn rows(frame: &mut Frame, view: &RowsView, look: &Look) {
    if look::too_small(frame) {
        return;
    }
    let [body, foot] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    let rows = &view.rows.rows;
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    // Long names are cut so that states can be seen.
    let width = width
        .unwrap_or(0)
        .min(usize::from(body.width).saturating_sub(43).max(12));
    let items = rows.iter().map(|row| {
        let style = match row.state {
            State::Running => look.hue(Color::Green),
            State::Failed(_) => look.hue(Color::Red),
            State::Interrupted | State::Stopped => look.hue(Color::Yellow),
            State::NotBegun => look.quiet(),
            State::Finished => Style::new(),
        };
        ListItem::new(Span::styled(text::row(row, width), style))
    });
    let list = List::new(items)
        .block(Block::bordered().title(Span::styled(title(view.rows), look.strong())))
        .highlight_symbol("> ")
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = ListState::default().with_selected(Some(view.selected));
    frame.render_stateful_widget(list, body, &mut state);
    let line = match view.fault {
        Some(fault) => Span::styled(fault.to_owned(), look.hue(Color::Red)),
        None => Span::styled("↑↓ choose  Enter look at it  q quit", look.quiet()),
    };
    frame.render_widget(Line::from(line), foot);
}

/// How many there are in each state.
fn title(rows: &Rows) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in &rows.rows {
        let word = row.state.word();
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    format!(" {} runs: {} ", rows.rows.len(), words.join(", "))
}
