//! The progress bar of a download. It is drawn on the standard error, and only if that is a terminal.

use indicatif::ProgressBar;
use koala_data::fetch::Watcher;
use koala_system::visible;

use crate::terminal;

const TEMPLATE: &str = "{msg} {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";

/// A bar for one file after the other.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar unless `silent`.
    pub fn new(silent: bool) -> Self {
        Self(terminal::bar(TEMPLATE, silent))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Watcher for Bar {
    fn begin(&mut self, url: &str, have: u64, total: Option<u64>) {
        let name = url.rsplit('/').next().unwrap_or(url);
        self.0.set_message(visible(name));
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_position(have);
        self.0.reset_eta();
    }

    fn advance(&mut self, bytes: u64) {
        self.0.inc(bytes);
    }
}
