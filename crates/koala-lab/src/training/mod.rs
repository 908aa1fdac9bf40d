//! The training loop: one for every optimizer, network and task.

mod average;
mod batches;
mod checkpoint;
mod event;
mod figures;
pub(crate) mod float;
mod images;
mod keeper;
mod learner;
mod loader;
mod loss;
mod metrics;
mod observer;
mod progress;
mod schedule;
mod task;
#[cfg(test)]
mod testing;
mod texts;
mod trainer;

pub use crate::data::Interrupt;
pub use average::{Average, AverageSpec, Ema, Swa, recompute_statistics};
pub use batches::Batches;
pub use checkpoint::{Checkpoint, Marks};
pub use event::{
    EndEvent, EpochEvent, EvaluationEvent, Event, FailureEvent, ResumeEvent, StartEvent, Status,
    StepEvent,
};
pub use figures::{Figures, Samples};
pub use images::ImageTask;
pub use keeper::{Forgetful, Keeper};
pub use learner::Learner;
pub(crate) use learner::inference;
pub(crate) use loader::Loader;
pub use loss::cross_entropy;
pub use metrics::{Evaluation, Tally};
pub use observer::{Both, Observer, Silent};
pub use progress::{Best, Clocks, Measure, Progress};
pub use schedule::ScheduleSpec;
pub(crate) use task::floats;
pub use task::{Losses, Part, Task};
pub use texts::TextTask;
pub use trainer::{Company, Plan, Trained, train};
