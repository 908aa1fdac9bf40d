//! Flags that say how data of one's own are read.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use koala_data::LabelKind;

use super::Overrides;

/// How data of one's own are read.
#[derive(Args)]
#[command(next_help_heading = "Data of your own")]
pub struct OwnFlags {
    /// images, idx: your folder; of the others the one with the original files [default: their usual places]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// text, table: your file
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    file: Option<PathBuf>,
    /// images: side of the square that every picture becomes; 0 to leave them as they are [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    image_size: Option<i64>,
    /// table: the column that is to be told, by its name, or by its number if the first line names none
    #[arg(long, value_name = "COLUMN", allow_negative_numbers = true)]
    label: Option<String>,
    /// table: whether that is of classes or a number [default: detected]
    #[arg(long, value_parser = LabelKind::NAMES)]
    label_kind: Option<String>,
    /// table: columns of numbers, whatever they look like
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    numbers: Option<Vec<String>>,
    /// table: columns of categories, whatever they look like
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    categories: Option<Vec<String>>,
    /// table: columns that are not learned from
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    ignore: Option<Vec<String>>,
    /// table: learn a number as (number - mean) / deviation, by the training part; losses are in squares of that deviation then [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    normalise_label: Option<bool>,
    /// images, table: the fraction that is tested on, if no folder says what is [default: 0.2]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    test_share: Option<f64>,
    /// images, idx, table: what the samples of each part are drawn by, whatever --seed is [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    parting_seed: Option<i64>,
}

impl OwnFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        let text = |path: &Option<PathBuf>| {
            let path = path.as_ref();
            path.map(|path| path.to_string_lossy().into_owned())
        };
        all.put("dataset.data-dir", text(&self.data_dir));
        all.put("dataset.file", text(&self.file));
        all.put("dataset.image-size", self.image_size);
        all.put("dataset.label", self.label.clone());
        all.put("dataset.label-kind", self.label_kind.clone());
        all.put("dataset.numbers", self.numbers.clone());
        all.put("dataset.categories", self.categories.clone());
        all.put("dataset.ignore", self.ignore.clone());
        all.put("dataset.normalise-label", self.normalise_label);
        all.put("dataset.test-share", self.test_share);
        all.put("dataset.parting-seed", self.parting_seed);
    }
}
