//! A run: what was asked for, what came of it, and the folder that keeps both.

mod config;
mod config_error;
mod dataset;
mod events;
mod execute;
mod folder;
mod overlay;
mod resolve;
mod result;
mod tensorboard;
mod weights;

pub use config::RunConfig;
pub use config_error::ConfigError;
pub use dataset::DatasetSpec;
pub use events::EventLog;
pub use execute::{Network, Outcome, execute, execute_on};
pub use folder::RunFolder;
pub(crate) use folder::write_whole;
pub use resolve::Override;
pub use result::RunResult;
pub use tensorboard::TensorBoard;
pub use toml::Value;
pub use weights::{read_weights, write_weights};
