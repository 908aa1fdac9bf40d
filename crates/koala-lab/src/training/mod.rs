//! The training loop: one for every optimizer, network and data set.

mod average;
mod evaluate;
mod event;
mod interrupt;
mod loss;
mod observer;
mod schedule;
mod trainer;

pub use average::{Average, AverageSpec, Ema, Swa, recompute_statistics};
pub use evaluate::{Evaluation, evaluate};
pub use event::{EndEvent, EpochEvent, Event, FailureEvent, StartEvent, Status, StepEvent};
pub use interrupt::Interrupt;
pub use loss::cross_entropy;
pub use observer::{Both, Observer, Silent};
pub use schedule::ScheduleSpec;
pub use trainer::{Plan, Trained, train};
