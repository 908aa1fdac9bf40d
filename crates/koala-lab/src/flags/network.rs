//! Flags that say which network to train.

use clap::Args;
use koala_train::run::{CnnNorm, ModelSpec};

use super::Overrides;

/// Which network to train.
#[derive(Args)]
#[command(next_help_heading = "Task")]
pub struct NetworkFlags {
    /// Network [default: mlp, for texts lstm, for images and idx cnn]
    #[arg(long, value_parser = ModelSpec::NAMES)]
    model: Option<String>,
    /// Start from these weights, a safetensors file of a run of the same network, instead of drawn ones
    #[arg(long, value_name = "FILE")]
    init_weights: Option<String>,
    /// Widths of the hidden layers [default: 128,64 for mlp, 64 for cnn, 256,64,16,64,256 for autoencoder]
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    hidden: Option<Vec<i64>>,
    /// cnn: channels of each block [default: 16,32]
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    channels: Option<Vec<i64>>,
    /// cnn: what each block normalises [default: batch]
    #[arg(long, value_parser = CnnNorm::NAMES)]
    norm: Option<String>,
    /// resnet20, resnet18, resnet50, wrn50-2: channels of the first stage; dcgan: channels at half the images' size; vit, transformer, gpt: size of the embedding [default: 16 for resnet20, 200 for transformer, 128 for gpt, else 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    width: Option<i64>,
    /// vit: side of the square patches [default: 4]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    patch: Option<i64>,
    /// dcgan: random numbers an image is made from [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    noise: Option<i64>,
    /// dcgan: updates of the critic before one of the generator [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    critic_steps: Option<i64>,
    /// dcgan: weight of the gradient penalty [default: 10]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    penalty: Option<f64>,
    /// dcgan: made images that an evaluation compares with as many real ones; 0 for none [default: 1000]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    evaluate_images: Option<i64>,
    /// vit, lstm, transformer, gpt: number of layers [default: 2; 4 for vit and gpt]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    layers: Option<i64>,
    /// vit, transformer, gpt: heads of attention [default: 2 for transformer, else 4]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    heads: Option<i64>,
    /// gpt: tokens of the longest window [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    context: Option<i64>,
    /// lstm, transformer, gpt: share of values that are dropped [default: 0.65 for lstm, 0.2 for transformer, 0.1 for gpt]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    dropout: Option<f64>,
}

impl NetworkFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("model.name", self.model.clone());
        all.put("init-weights", self.init_weights.clone());
        all.put("model.hidden", self.hidden.clone());
        all.put("model.channels", self.channels.clone());
        all.put("model.norm", self.norm.clone());
        all.put("model.patch", self.patch);
        all.put("model.width", self.width);
        all.put("model.noise", self.noise);
        all.put("model.critic-steps", self.critic_steps);
        all.put("model.penalty", self.penalty);
        all.put("model.evaluate-images", self.evaluate_images);
        all.put("model.layers", self.layers);
        all.put("model.heads", self.heads);
        all.put("model.context", self.context);
        all.put("model.dropout", self.dropout);
    }
}
