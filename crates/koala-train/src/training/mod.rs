//! The training loop, one for every optimizer, network and task, and for one network as for two adversaries: what it asks of
//! those whom it trains is `Trainee`.

mod adversarial;
mod average;
mod batch;
mod batches;
mod checkpoint;
mod counting;
mod event;
mod figures;
pub(crate) mod float;
mod goal;
mod images;
mod keeper;
mod learner;
mod loader;
mod measure;
mod metrics;
mod movement;
mod observer;
mod part;
mod pictures;
mod plan;
mod player;
mod predictor;
mod progress;
mod reconstruction;
mod regression;
mod rows;
mod sampled;
mod schedule;
mod task;
#[cfg(test)]
pub(crate) mod testing;
mod texts;
mod trainee;
mod trainer;

pub use adversarial::{
    Distance, FoundDistance, GanEpochEvent, GanEvaluationEvent, GanLosses, GanStepEvent, Level,
    NetworkStep, PicturesEvent,
};
pub(crate) use average::enough;
pub use average::{Average, AverageSpec, Ema, Swa, recompute_statistics};
pub use batch::{Batch, shape_of, shape_of_rows};
pub use batches::Batches;
pub use checkpoint::{Checkpoint, Marks};
pub(crate) use counting::Counting;
pub use event::{
    EarlyStop, EndEvent, EpochEvent, EvaluationEvent, Event, FailureEvent, ResumeEvent, StartEvent,
    Status, StepEvent, WarningEvent,
};
pub use figures::Figures;
pub use goal::{Goal, Learnable};
pub use images::{Classification, ImageTask};
pub use keeper::{Forgetful, Keeper};
pub use koala_data::Interrupt;
pub use koala_models::cross_entropy;
pub use learner::Learner;
pub use measure::Measure;
pub use metrics::{Evaluation, Misread, Tally};
pub(crate) use movement::Still;
pub use observer::{Both, Observer, Silent};
pub use part::{Part, Samples};
pub use pictures::Pictures;
pub use plan::{Company, Plan};
pub(crate) use player::Lesson;
pub use player::Player;
pub use predictor::train;
pub use progress::{Best, Clocks, Counts, Lowest, Progress};
pub use reconstruction::Reconstruction;
pub use regression::Regression;
pub use rows::RowClassification;
pub use sampled::SampleTask;
pub use schedule::ScheduleSpec;
pub use task::{Losses, Task};
pub(crate) use task::{floats, read};
pub use texts::TextTask;
pub(crate) use trainee::Trainee;
pub use trainer::Trained;
pub(crate) use trainer::Trainer;
