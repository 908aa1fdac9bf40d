//! Writing to the terminal: never a panic when the reader has gone, colours only where someone can see them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

/// A line on the standard output.
pub fn line(text: impl Display) {
    // A reader that has gone away (`| head`) is no reason to stop training.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// An error on the standard error.
pub fn error(error: &dyn Display) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let (on, off) = codes(style, colours(std::io::stderr().is_terminal()));
    let _ = writeln!(std::io::stderr().lock(), "{on}error:{off} {error}");
}

/// A warning on the standard error.
pub fn warning(text: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    let (on, off) = codes(style, colours(std::io::stderr().is_terminal()));
    let _ = writeln!(std::io::stderr().lock(), "{on}warning:{off} {text}");
}

/// A progress bar on the standard error: hidden if that is no terminal, or if it is to be `silent`.
pub fn bar(template: &str, silent: bool) -> ProgressBar {
    if silent || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ "),
    );
    bar
}

/// The text, emphasised if the standard output is a terminal.
pub fn strong(text: impl Display) -> String {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let (on, off) = codes(style, colours(std::io::stdout().is_terminal()));
    format!("{on}{text}{off}")
}

fn codes(style: Style, wanted: bool) -> (String, String) {
    if wanted {
        (style.render().to_string(), style.render_reset().to_string())
    } else {
        (String::new(), String::new())
    }
}

/// Whether colours are wanted on what is, or is not, a terminal.
pub fn colours(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
