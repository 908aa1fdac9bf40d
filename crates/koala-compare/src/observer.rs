//! Who is told how a comparison goes.

use koala_train::run::Settled;
use koala_train::training::Event;

/// Where a comparison is, when one of its runs has something to tell.
#[derive(Debug, Clone)]
pub struct Position {
    /// Runs that have ended, of those that are known of.
    pub done: usize,
    /// Runs that are known of.
    pub count: usize,
    /// Name of the workload.
    pub workload: String,
    /// Name of the optimizer.
    pub optimizer: String,
    /// The seed.
    pub seed: u64,
    /// What it is for, in a word.
    pub role: &'static str,
    /// Whether runs are at work one at a time.
    pub alone: bool,
    /// Seconds until all known runs have ended, as runs of the same workloads took; nothing as long as one has no example.
    pub left: Option<f64>,
}

/// Someone who is told what happens, from whichever thread it happens in, one call at a time.
pub trait SuiteObserver: Send {
    /// An event of a run.
    fn observe(&mut self, position: &Position, event: &Event);

    /// A run has come to its end, by us.
    fn settled(&mut self, position: &Position, settled: &Settled);

    /// Something that should be known and stops nothing.
    fn warn(&mut self, text: &str);
}

impl SuiteObserver for koala_train::training::Silent {
    fn observe(&mut self, _position: &Position, _event: &Event) {}

    fn settled(&mut self, _position: &Position, _settled: &Settled) {}

    fn warn(&mut self, _text: &str) {}
}
