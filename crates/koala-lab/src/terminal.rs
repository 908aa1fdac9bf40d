//! Writing to the terminal: never a panic when the reader has gone, colours only where someone can see them.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use koala_system::{visible_json, visible_lines};
use serde::Serialize;

/// Why something could not be written to the standard output, if so.
static LOST: Mutex<Option<String>> = Mutex::new(None);

/// A line on the standard output. What steers a terminal in it is made visible: names and messages come from files.
pub fn line(text: impl Display) {
    write(&visible_lines(&text.to_string()));
}

/// A line on the standard output with a part of it emphasised, if someone can see it.
pub fn line_with(before: &str, strong: impl Display, after: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let (on, off) = codes(style, colours(std::io::stdout().is_terminal()));
    let [before, strong, after] = [before, &strong.to_string(), after].map(visible_lines);
    write(&format!("{before}{on}{strong}{off}{after}"));
}

/// A value as JSON on the standard output.
pub fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => write(&visible_json(&text)),
        Err(cause) => lose(&cause),
    }
}

fn write(line: &str) {
    written(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Remembers that something could not be written. It does not end what is being done: that it was not told is told at the end.
pub fn written(outcome: std::io::Result<()>) {
    match outcome {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => lose(&cause),
        _ => {}
    }
}

fn lose(cause: &dyn Display) {
    let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    lost.get_or_insert_with(|| cause.to_string());
}

/// Whether all that was to be told was written. A reader that has gone away (`| head`) has had what it wants; a disk that is full
/// has not.
///
/// # Errors
///
/// Why something is lost, in words.
pub fn finish() -> Result<(), String> {
    written(std::io::stdout().flush());
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*lost {
        None => Ok(()),
        Some(cause) => Err(format!(
            "standard output: cannot be written: {cause}. What was to be told there is lost; what was done is not"
        )),
    }
}

/// An error on the standard error.
pub fn error(error: &dyn Display) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    tell("error:", style, &error.to_string());
}

/// A warning on the standard error.
pub fn warning(text: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    tell("warning:", style, text);
}

fn tell(what: &str, style: Style, text: &str) {
    let (on, off) = codes(style, colours(std::io::stderr().is_terminal()));
    // There is nowhere else to tell that it cannot be told.
    let _ = writeln!(
        std::io::stderr().lock(),
        "{on}{what}{off} {}",
        visible_lines(text)
    );
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
