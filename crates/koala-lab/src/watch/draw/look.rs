//! How things are drawn.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::{Frame, widgets::Paragraph};

/// Smallest screen on which anything can be read.
const LEAST: (u16, u16) = (40, 10);

/// What keys have changed, and whether colours are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Whether colours are wanted.
    pub colours: bool,
    /// Whether axes that could be logarithmic are not.
    pub plain_axes: bool,
    /// Panel that is shown alone, from 1; 0 for all of them.
    pub panel: usize,
}

impl Look {
    /// The next panel. Whoever draws takes it modulo how many there are.
    pub fn forward(&mut self) {
        self.panel = self.panel.wrapping_add(1) % Self::ROUND;
    }

    /// The panel before.
    pub fn back(&mut self) {
        self.panel = (self.panel + Self::ROUND - 1) % Self::ROUND;
    }

    /// A multiple of every number of panels up to ten.
    const ROUND: usize = 2520;

    /// The style of the `at`-th curve.
    pub fn curve(&self, at: usize) -> Style {
        const HUES: [Color; 5] = [
            Color::Cyan,
            Color::Yellow,
            Color::Magenta,
            Color::Green,
            Color::Blue,
        ];
        self.hue(HUES[at % HUES.len()])
    }

    /// A colour, if colours are wanted.
    pub fn hue(&self, hue: Color) -> Style {
        if self.colours {
            Style::new().fg(hue)
        } else {
            Style::new()
        }
    }

    /// What matters.
    pub fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is said beside it.
    pub fn quiet(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
}

/// Says so if the screen is too small for anything.
pub fn too_small(frame: &mut Frame) -> bool {
    let Rect { width, height, .. } = frame.area();
    let small = width < LEAST.0 || height < LEAST.1;
    if small {
        let (least, high) = LEAST;
        let lines = [
            format!("too small: {width}x{height}"),
            format!("needs {least}x{high}, q leaves"),
        ];
        let text: Vec<Line> = lines.into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(text), frame.area());
    }
    small
}
