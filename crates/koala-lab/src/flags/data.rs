//! Flags that say what to train on.

use clap::Args;
use koala_data::{Augmentation, DatasetName};

use super::Overrides;

/// What to train on.
#[derive(Args)]
#[command(next_help_heading = "Task")]
pub struct DataFlags {
    /// Data set [default: digits]
    #[arg(long, value_parser = DatasetName::ALL.map(DatasetName::name))]
    dataset: Option<String>,
    /// Images: whether training images are moved and mirrored at random [default: none]
    #[arg(long, value_parser = Augmentation::NAMES)]
    augment: Option<String>,
    /// Texts: tokens of a window, through which gradients go [default: 35 for words, 64 for characters]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    window: Option<i64>,
    /// Train on the first N samples only, of images, idx and table drawn ones; 0 for all [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    train_limit: Option<i64>,
    /// Hold out the last N training images or rows to choose by, of images, idx and table drawn ones; texts come with their own [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<i64>,
}

impl DataFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("dataset.name", self.dataset.clone());
        all.put("dataset.augment", self.augment.clone());
        all.put("dataset.window", self.window);
        all.put("train-limit", self.train_limit);
        all.put("validation", self.validation);
    }
}
