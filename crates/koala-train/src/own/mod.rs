//! What is your own in a run: its data, its network, its optimizer. Each stands in a configuration as those of this crate do, so that
//! schedules, averages, checkpoints, run folders and comparisons are theirs too.
//!
//! ```no_run
//! use burn::module::Module;
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::Tensor;
//! use koala_data::{Parting, Table};
//! use koala_train::own::{OwnData, OwnModel, OwnNetwork};
//! use koala_train::run::{self, DatasetSpec, ModelSpec, RunConfig};
//! use koala_train::training::{Interrupt, Silent};
//!
//! #[derive(Module, Debug)]
//! struct Line {
//!     layer: Linear,
//! }
//!
//! impl OwnNetwork for Line {
//!     type Samples = Table;
//!
//!     fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
//!         self.layer.forward(rows)
//!     }
//! }
//!
//! let features: Vec<f32> = (0..100).map(|row| row as f32 / 50.0 - 1.0).collect();
//! let targets = features.iter().map(|x| 2.0 * x - 1.0).collect();
//! let rows = Table::new(1, features, targets)?;
//!
//! let mut config = RunConfig::resolve(None, &[])?;
//! config.dataset = DatasetSpec::Own(OwnData::drawn("line", rows, Parting::default())?);
//! config.model = ModelSpec::Own(OwnModel::new("line", "1", |draws| Line {
//!     layer: LinearConfig::new(1, 1).init(draws.device()),
//! })?);
//! let outcome = run::execute(&config, &mut Silent, &Interrupt::default())?;
//! let line: Option<&Line> = outcome.network.own();
//! println!("{}: {line:?}", outcome.result.test_loss());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod data;
mod learning;
mod model;
mod name;
mod network;
mod optimizer;
mod rule;
mod samples;
mod stored;

pub use data::OwnData;
pub use koala_models::Draws;
pub use model::OwnModel;
pub use network::{OwnNetwork, Trained};
pub use optimizer::OwnOptimizer;
pub use rule::{Parameter, Rule, StepAt};
pub use samples::Samples;
pub(crate) use stored::stored_beside_own;
