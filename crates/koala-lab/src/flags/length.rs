//! Flags that say how long to train, in which batches.

use clap::{ArgAction, Args};

use super::Overrides;

/// How long to train, in which batches.
#[derive(Args)]
#[command(next_help_heading = "Task")]
pub struct LengthFlags {
    /// Passes over the training samples [default: 20 for digits, friedman, images and table, 100 for cifar10, cifar100 and imagenet32, 40 for ptb and wikitext2, else 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<i64>,
    /// Samples in a batch, or rows of text read side by side [default: 128 for images but digits and your folder of them, 20 for ptb and wikitext2, else 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<i64>,
    /// Samples that go through the network at once, to save memory; the step is that of the whole batch; 0 for all of it [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    micro_batch_size: Option<i64>,
    /// Leave out a last batch with fewer samples
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    drop_last: Option<bool>,
    /// End after this many steps; 0 for no limit [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_steps: Option<i64>,
    /// End before that, once the held-out loss has not been lower for N evaluations; 0 for not [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    patience: Option<i64>,
    /// Evaluate every N steps as well as after each epoch; 0 for not [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    evaluate_every: Option<i64>,
    /// Losses in a row that may fail to be finite before a run is given up [default: 25]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    missing_limit: Option<i64>,
}

impl LengthFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("epochs", self.epochs);
        all.put("batch-size", self.batch_size);
        all.put("micro-batch-size", self.micro_batch_size);
        all.put("drop-last", self.drop_last);
        all.put("max-steps", self.max_steps);
        all.put("patience", self.patience);
        all.put("evaluate-every", self.evaluate_every);
        all.put("missing-limit", self.missing_limit);
    }
}
