//! Flags that say what a run keeps.

use clap::{ArgAction, Args};

use super::Overrides;

/// What a run keeps while it goes.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct KeepingFlags {
    /// Log every N-th step; 0 for each tenth, and fewer beyond 100,000 [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    log_every: Option<i64>,
    /// Write TensorBoard's event files too [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    tensorboard: Option<bool>,
    /// Make a checkpoint every N steps; 0 for none by steps [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    checkpoint_every: Option<i64>,
    /// Make a checkpoint when so many minutes have gone by [default: 5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    checkpoint_minutes: Option<f64>,
    /// Keep the last N checkpoints [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_checkpoints: Option<i64>,
}

impl KeepingFlags {
    /// The overrides that these flags stand for.
    pub fn overrides(&self) -> Overrides {
        let mut all = Overrides::default();
        all.put("log-every", self.log_every);
        all.put("tensorboard", self.tensorboard);
        all.put("checkpoint-every", self.checkpoint_every);
        all.put("checkpoint-minutes", self.checkpoint_minutes);
        all.put("keep-checkpoints", self.keep_checkpoints);
        all
    }
}
