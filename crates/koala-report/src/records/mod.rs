//! One run's folder, read.

mod check;
mod data;
mod event;
mod failure;
mod fault;
mod figures;
mod file;
mod folders;
mod follow;
mod lines;
mod log;
mod reading;
mod result;
mod run;
mod thinned;
mod version;
mod writer;

pub(crate) use check::run as check_run;
pub use fault::Fault;
pub use figures::{Figures, Scores};
pub(crate) use file::read_text;
pub use folders::run_folders;
pub use follow::Follower;
pub use log::{AdversarialPoint, Damage, Detail, Evaluated, Log, NetworkPoint, Start, StepPoint};
pub use reading::Latest;
pub use result::{RunResult, Status};
pub use run::Run;
pub use writer::Writer;
