//! How a run stands.

use koala_report::{Run, RunState, Status};
use koala_system::visible;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is listed, and was never begun.
    NotBegun,
    /// A program is at it.
    Running,
    /// All steps done.
    Finished,
    /// Someone stopped it.
    Interrupted,
    /// It broke off, and why.
    Failed(String),
    /// No program is at it, and it has not come to its end: it was killed.
    Stopped,
}

impl State {
    /// Of a run at which a program is if `busy`.
    pub fn of(run: &Run, busy: bool) -> Self {
        match (run.state(), &run.result, &run.log.failure) {
            (RunState::Completed, ..) => Self::Finished,
            _ if busy => Self::Running,
            (RunState::Failed { message }, ..) => Self::Failed(visible(&message)),
            (_, Some(result), _) if result.status == Status::Interrupted => Self::Interrupted,
            (.., Some(message)) => Self::Failed(visible(message)),
            _ => Self::Stopped,
        }
    }

    /// In a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
            Self::Stopped => "not running",
        }
    }

    /// Whether it can be gone on with as it is.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Stopped)
    }
}
