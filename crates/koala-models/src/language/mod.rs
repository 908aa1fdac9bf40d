//! Networks that predict the next token.

mod gpt;
mod lstm;
mod lstm_layer;
mod model;
mod tied;
mod transformer;
mod window_model;

pub use super::SpecError;
pub use gpt::{Gpt, GptSpec};
pub use lstm::{LstmModel, LstmSpec};
pub use lstm_layer::{LstmLayer, LstmState};
pub use model::LanguageModel;
pub use transformer::{EncoderLayer, TransformerModel, TransformerSpec};
pub use window_model::WindowModel;
