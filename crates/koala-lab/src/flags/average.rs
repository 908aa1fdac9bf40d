//! Flags of the average of the weights.

use clap::{ArgAction, Args};
use koala_train::training::AverageSpec;

use super::Overrides;

/// Which average of the weights is kept.
#[derive(Args)]
#[command(next_help_heading = "Average")]
pub struct AverageFlags {
    /// Average of the weights that is tested and stored [default: none]
    #[arg(long, value_parser = AverageSpec::NAMES)]
    average: Option<String>,
    /// ema: share of the old average in the new one [default: 0.999]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    ema_decay: Option<f64>,
    /// ema: let that share start low and rise with the steps [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    ema_warm_up: Option<bool>,
    /// swa: first epoch whose end is averaged; 0 for the last quarter [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    swa_start: Option<i64>,
    /// swa: epochs from one that is averaged to the next [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    swa_every: Option<i64>,
}

impl AverageFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("average.name", self.average.clone());
        all.put("average.ema-decay", self.ema_decay);
        all.put("average.ema-warm-up", self.ema_warm_up);
        all.put("average.swa-start", self.swa_start);
        all.put("average.swa-every", self.swa_every);
    }
}
