//! The program on a terminal: looks, draws, listens to keys.

use std::io;
use std::time::{Duration, Instant};

use koala_compare::Error;
use koala_system::visible;
use koala_train::training::Interrupt;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::{self, Look, RowsView};
use super::rows::Rows;
use super::source::Source;
use super::watched::Watched;
use crate::terminal;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(500);

/// The program on a terminal.
pub struct App {
    rows: Option<Rows>,
    source: Option<Box<Source>>,
    selected: usize,
    look: Look,
    fault: Option<String>,
}

impl App {
    /// Shows what is looked at.
    pub fn new(watched: Watched) -> Self {
        let (rows, source) = match watched {
            Watched::Run(source) => (None, Some(source)),
            Watched::Rows(rows) => (Some(rows), None),
        };
        Self {
            rows,
            source,
            selected: 0,
            look: Look {
                colours: terminal::colours(true),
                ..Look::default()
            },
            fault: None,
        }
    }

    /// Until someone leaves. The terminal is given back as it was, whatever happens.
    ///
    /// # Errors
    ///
    /// [`Error`] if the terminal cannot be used.
    pub fn run(&mut self, interrupt: &Interrupt) -> Result<(), Error> {
        let outcome = ratatui::try_init().and_then(|mut screen| self.turn(&mut screen, interrupt));
        let restored = ratatui::try_restore();
        outcome
            .and(restored)
            .map_err(Error::file("terminal", "draw on it"))
    }

    fn turn(&mut self, screen: &mut DefaultTerminal, interrupt: &Interrupt) -> io::Result<()> {
        let mut looked = Instant::now();
        while !interrupt.is_set() {
            screen.draw(|frame| match (&self.source, &self.rows) {
                (Some(source), rows) => draw::run(
                    frame,
                    source.snapshot(),
                    &self.look,
                    rows.is_some(),
                    self.fault.as_deref(),
                ),
                (None, Some(rows)) => draw::rows(
                    frame,
                    &RowsView {
                        rows,
                        selected: self.selected,
                        fault: self.fault.as_deref(),
                    },
                    &self.look,
                ),
                (None, None) => {}
            })?;
            let wait = PERIOD.saturating_sub(looked.elapsed());
            if event::poll(wait)?
                && let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && self.leaves(key)
            {
                return Ok(());
            }
            if looked.elapsed() >= PERIOD {
                self.look_again();
                looked = Instant::now();
            }
        }
        Ok(())
    }

    fn look_again(&mut self) {
        let outcome = match (&mut self.source, &mut self.rows) {
            (Some(source), _) => source.look(),
            (None, Some(rows)) => rows.look(),
            (None, None) => Ok(()),
        };
        // A run may be begun anew at this moment; what was seen last stays until it can be read.
        self.fault = outcome.err().map(|error| visible(&error.to_string()));
    }

    /// Does what a key asks for; whether it is to leave.
    fn leaves(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return true,
            KeyCode::Char('q') => return true,
            KeyCode::Esc if self.source.is_some() && self.rows.is_some() => {
                self.source = None;
                self.look_again();
            }
            KeyCode::Esc => return true,
            KeyCode::Char('l') => self.look.plain_axes = !self.look.plain_axes,
            KeyCode::Tab | KeyCode::Right => self.look.forward(),
            KeyCode::BackTab | KeyCode::Left => self.look.back(),
            code => {
                if self.source.is_none() {
                    self.choose(code);
                }
            }
        }
        false
    }

    fn choose(&mut self, code: KeyCode) {
        let Some(rows) = &self.rows else { return };
        let last = rows.rows.len().saturating_sub(1);
        const PAGE: usize = 10;
        self.selected = match code {
            KeyCode::Up => self.selected.saturating_sub(1),
            KeyCode::Down => (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected.saturating_sub(PAGE),
            KeyCode::PageDown => (self.selected + PAGE).min(last),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => self.selected.min(last),
        };
        if code == KeyCode::Enter
            && let Some(row) = rows.rows.get(self.selected)
        {
            match Source::open(&row.folder) {
                Ok(source) => {
                    self.source = Some(Box::new(source));
                    self.fault = None;
                }
                Err(error) => self.fault = Some(visible(&error.to_string())),
            }
        }
    }
}
