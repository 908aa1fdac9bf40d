//! A comparison's progress as lines.

use koala_train::run::Settled;
use koala_train::training::Event;

use super::{Position, SuiteObserver};

/// Tells of every run that has come to its end, and of warnings, in a line of the standard error each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl SuiteObserver for Lines {
    fn observe(&mut self, _position: &Position, _event: &Event) {}

    fn settled(&mut self, position: &Position, settled: &Settled) {
        let Position {
            done,
            count,
            workload,
            optimizer,
            role,
            seed,
            ..
        } = position;
        let ended = match settled {
            Settled::Completed => "done".to_owned(),
            Settled::Failed(why) => format!("failed: {why}"),
            Settled::Damaged(what) => format!("damaged: {what}"),
            Settled::Interrupted => "stopped".to_owned(),
        };
        eprintln!("{done}/{count} {workload}: {optimizer}, {role}, seed {seed}: {ended}");
    }

    fn warn(&mut self, text: &str) {
        eprintln!("warning: {text}");
    }
}
