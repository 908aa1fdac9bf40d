//! Flags that say what to train on.

use std::path::PathBuf;

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
    /// Folder with the original files of the data set [default: its usual places]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// text: the file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Images: whether training images are moved and mirrored at random [default: none]
    #[arg(long, value_parser = Augmentation::NAMES)]
    augment: Option<String>,
    /// Texts: tokens of a window, through which gradients go [default: 35 for words, 64 for characters]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    window: Option<i64>,
    /// Train on the first N samples only; 0 for all [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    train_limit: Option<i64>,
    /// Hold out the last N training images or rows to choose by; texts come with their own [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<i64>,
}

impl DataFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("dataset.name", self.dataset.clone());
        let folder = self.data_dir.as_ref();
        all.put(
            "dataset.data-dir",
            folder.map(|f| f.to_string_lossy().into_owned()),
        );
        let file = self.file.as_ref();
        all.put(
            "dataset.file",
            file.map(|f| f.to_string_lossy().into_owned()),
        );
        all.put("dataset.augment", self.augment.clone());
        all.put("dataset.window", self.window);
        all.put("train-limit", self.train_limit);
        all.put("validation", self.validation);
    }
}
