//! A run: what was asked for, what came of it, and the folder that keeps both.

mod adversarial;
mod checkpoints;
mod config;
mod config_error;
mod dataset;
mod events;
mod execute;
mod flag;
mod folder;
mod model;
mod network;
mod outcome;
mod overlay;
mod resolve;
mod result;
mod samples;
mod session;
mod tensorboard;
mod weights;

pub use checkpoints::{CheckpointPolicy, Checkpoints, Found};
pub use config::RunConfig;
pub use config_error::{ConfigError, hint};
pub use dataset::{DatasetSpec, ImageFolder, TextFolder};
pub use events::EventLog;
pub use execute::{Settled, execute, execute_on};
pub use flag::Override;
pub use folder::{RunFolder, write_whole};
pub use koala_models::stored::{weights_from_bytes, weights_to_bytes};
pub use model::ModelSpec;
pub use network::Network;
pub use outcome::Outcome;
pub use result::{Findings, RunResult};
pub use samples::SampleFolder;
pub use tensorboard::TensorBoard;
pub use toml::Value;
pub use weights::{read_weights, write_weights};
